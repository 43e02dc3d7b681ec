//! Whether anything answers at the address of a server that nobody wrote down.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::domain::route::ServerState;

/// A server on this machine answers long before; a start must not wait for one that does not.
const PATIENCE: Duration = Duration::from_millis(200);

/// Whether a connection comes about. Dropping the future closes it.
pub async fn answers(base_url: &str) -> ServerState {
    let Some(address) = address(base_url) else {
        return ServerState::Unreachable;
    };
    let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
    state(matches!(connected, Ok(Ok(_))))
}

/// The same, blocking for 200 ms at most.
pub fn answers_now(base_url: &str) -> ServerState {
    let connected = address(base_url)
        .map(|address| std::net::TcpStream::connect_timeout(&address, PATIENCE).is_ok());
    state(connected.unwrap_or(false))
}

fn state(answers: bool) -> ServerState {
    if answers {
        ServerState::Serving
    } else {
        ServerState::Unreachable
    }
}

/// An address on this machine, which is found without asking anybody.
fn address(base_url: &str) -> Option<SocketAddr> {
    let url = Url::parse(base_url).ok()?;
    let host = url
        .host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']');
    (host, url.port_or_known_default()?)
        .to_socket_addrs()
        .ok()?
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_answers() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        assert_eq!(answers(&url).await, ServerState::Serving);
        assert_eq!(answers_now(&url), ServerState::Serving);
        drop(listener);
        assert_eq!(answers(&url).await, ServerState::Unreachable);
        assert_eq!(answers_now(&url), ServerState::Unreachable);
        assert_eq!(answers("nonsense").await, ServerState::Unreachable);
    }
}
