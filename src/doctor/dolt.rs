//! The journal's versioned copy.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::subject::Subject;
use crate::domain::check::Check;
use crate::runtime::programs;

pub(super) const NAME: &str = "dolt";
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

pub(super) fn check(subject: &Subject) -> Check {
    if let Some(status) = subject.status() {
        let dolt = &status.store.dolt;
        let told = match &dolt.message {
            Some(message) => format!("{}: {message}", dolt.state),
            None => dolt.state.clone(),
        };
        let told = match status.store.outbox {
            0 => told,
            waiting => format!("{told}, {waiting} rows wait"),
        };
        return match dolt.state.as_str() {
            "disabled" => Check::skip(NAME, "dolt.enabled is false"),
            "ready" | "connecting" => Check::ok(NAME, told),
            "backoff" => Check::warn(
                NAME,
                told,
                "nothing is lost: rows wait; the message says what helps",
            ),
            _ => Check::fail(
                NAME,
                told,
                "tundra explain with this message; tundra store status tells more",
            ),
        };
    }
    let Ok(settings) = &subject.settings else {
        return Check::skip(NAME, "the configuration is refused");
    };
    let dolt = &settings.dolt;
    if !dolt.enabled {
        return Check::skip(NAME, "dolt.enabled is false");
    }
    if dolt.managed {
        return match programs::find_here("dolt") {
            Ok(path) => Check::ok(NAME, format!("{}: tundra starts it", path.display())),
            Err(error) => Check::fail(
                NAME,
                error.to_string(),
                "install dolt (dolthub.com), or dolt.managed = false with a server",
            ),
        };
    }
    let address = format!("{}:{}", dolt.host, dolt.port);
    let found = (dolt.host.as_str(), dolt.port)
        .to_socket_addrs()
        .map(|mut addresses| addresses.next());
    let connected = match found {
        Ok(Some(to)) => {
            TcpStream::connect_timeout(&to, CONNECT_WITHIN).map_err(|error| error.to_string())
        }
        Ok(None) => Err("no address".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    match connected {
        Ok(_) => Check::ok(
            NAME,
            format!("{address} accepts connections; what it is tells a running tundra"),
        ),
        Err(error) => Check::warn(
            NAME,
            format!("{address}: {error}"),
            "start dolt sql-server there, correct dolt.host and dolt.port, or dolt.managed = true",
        ),
    }
}
