//! Whether a child is ready.

use std::net::SocketAddr;
use std::time::Duration;

use http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Between looks: short enough to be unseen, long enough to cost nothing.
const AGAIN: Duration = Duration::from_millis(150);
/// How long one look may take.
const LOOK: Duration = Duration::from_secs(2);
/// The status with which servers that listen early say that they still load a model.
const LOADING: &str = "503";

/// How a child is asked whether it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Its health route answers anything but 503.
    Http(Address),
    /// It accepts connections.
    Tcp(SocketAddr),
    /// It cannot be asked and never counts as ready.
    Never,
}

/// Where a server is expected that speaks HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    authority: String,
    host: String,
    port: u16,
    /// Of the health route, whether or not the server has one.
    path: String,
    tls: bool,
}

impl Probe {
    /// Waits until the child is ready. Cancel-safe.
    pub(super) async fn ready(&self) {
        while !matches!(timeout(LOOK, self.look()).await, Ok(true)) {
            sleep(AGAIN).await;
        }
    }

    async fn look(&self) -> bool {
        match self {
            Self::Http(address) => address.answers().await,
            Self::Tcp(address) => TcpStream::connect(address).await.is_ok(),
            Self::Never => std::future::pending().await,
        }
    }
}

impl Address {
    /// `None` where the URL names no host.
    #[must_use]
    pub fn of(base_url: &str) -> Option<Self> {
        let uri: Uri = base_url.parse().ok()?;
        let tls = uri.scheme_str() == Some("https");
        let host = uri.host()?;
        Some(Self {
            authority: uri.authority()?.to_string(),
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            path: format!("{}/health", uri.path().trim_end_matches('/')),
            tls,
        })
    }

    /// Whether something listens and, where it speaks plain HTTP, answers anything but that it is still loading.
    async fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect((self.host.as_str(), self.port)).await else {
            return false;
        };
        if self.tls {
            return true;
        }
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.path, self.authority
        );
        if stream.write_all(request.as_bytes()).await.is_err() {
            return false;
        }
        // "HTTP/1.1 200": all that is wanted of the answer.
        let mut head = [0; 12];
        if stream.read_exact(&mut head).await.is_err() {
            return false;
        }
        head.starts_with(b"HTTP/1.") && !head.ends_with(LOADING.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn an_address_is_read_from_the_base_url() {
        let address = Address::of("http://[::1]:8080/api").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 8080));
        assert_eq!(address.path, "/api/health");
        assert_eq!(Address::of("https://x").unwrap().port, 443);
    }

    #[tokio::test]
    async fn a_server_that_still_loads_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            for status in ["503 loading", "404 not found"] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = format!("HTTP/1.1 {status}\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let ready = Probe::Http(Address::of(&url).unwrap());
        timeout(Duration::from_secs(10), ready.ready())
            .await
            .unwrap();
        server.await.unwrap();
    }
}
