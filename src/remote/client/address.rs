//! Where an instance is reached.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::domain::printable::printable_start;
use crate::remote::error::TransportError;
use crate::remote::trust::KnownRemotes;

/// The longest text of a server that is shown, in characters: more is no message.
const MOST_SHOWN: usize = 500;

/// Where an instance is reached.
#[derive(Clone, Debug)]
pub enum Target {
    Local { socket: PathBuf },
    Network(Address),
}

/// An address as `tundra url` prints it, taken apart.
#[derive(Clone, Debug)]
pub struct Address {
    pub tls: bool,
    /// Host and port, as the Host header has them.
    pub authority: String,
    pub host: String,
    pub port: u16,
    pub token: Option<String>,
    pub terminal: Option<String>,
    pub known: KnownRemotes,
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`TransportError::Network`] when it is none.
    pub fn parse(url: &str, known: KnownRemotes) -> Result<Self, TransportError> {
        let wrong = || {
            TransportError::Network(format!(
                "{:?} is not an address: write http://HOST:PORT or https://HOST:PORT",
                url.split('#').next().unwrap_or_default()
            ))
        };
        let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
        let (tls, rest) = match page.split_once("://") {
            Some(("http" | "ws", rest)) => (false, rest),
            Some(("https" | "wss", rest)) => (true, rest),
            Some(_) => return Err(wrong()),
            None => (false, page),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let bracketed = authority.rfind(']').map_or(0, |end| end + 1);
        let (host, port) = match authority.get(bracketed..).and_then(|rest| rest.rfind(':')) {
            Some(colon) => {
                let (host, port) = authority.split_at(bracketed + colon);
                let port = port.trim_start_matches(':').parse().map_err(|_| wrong())?;
                (host, port)
            }
            None => (authority, if tls { 443 } else { 80 }),
        };
        if host.is_empty() || host.contains('@') {
            return Err(wrong());
        }
        let value = |key: &str| {
            fragment
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(name, value)| *name == key && !value.is_empty())
                .map(|(_, value)| value.to_owned())
        };
        Ok(Self {
            tls,
            authority: authority.to_owned(),
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port,
            token: value("token"),
            terminal: value("terminal"),
            known,
        })
    }

    /// Whether what is sent there could be read on the way: it is neither encrypted nor for this machine.
    #[must_use]
    pub fn is_in_the_clear(&self) -> bool {
        let is_here = match self.host.parse::<IpAddr>() {
            Ok(ip) => ip.to_canonical().is_loopback(),
            // Resolvers keep the name for this machine (RFC 6761, section 6.3).
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        };
        !self.tls && !is_here
    }

    pub(super) fn origin(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

impl Target {
    /// An error in the words of the way that was taken.
    pub(super) fn error(&self, details: impl std::fmt::Display) -> TransportError {
        // A server can have its own words in what a library says of its answer.
        let details = shown(&details.to_string());
        match self {
            Self::Local { .. } => TransportError::Local(details),
            Self::Network(_) => TransportError::Network(details),
        }
    }
}

/// Text of a server that nobody vouches for, on its way to this terminal.
pub(super) fn shown(text: &str) -> String {
    printable_start(text, MOST_SHOWN)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let known = KnownRemotes::in_folder(Path::new("/nowhere"));
        let parse = |url| Address::parse(url, known.clone());
        let full = parse("https://[::1]:3000/#token=abc&terminal=t-1").unwrap();
        assert_eq!(
            (full.tls, full.host.as_str(), full.port),
            (true, "::1", 3000)
        );
        assert_eq!(full.authority, "[::1]:3000");
        assert_eq!(full.token.as_deref(), Some("abc"));
        assert_eq!(full.terminal.as_deref(), Some("t-1"));
        let bare = parse("example.org:3000").unwrap();
        assert_eq!(
            (bare.tls, bare.host.as_str(), bare.port),
            (false, "example.org", 3000)
        );
        assert_eq!(parse("https://example.org").unwrap().port, 443);
        for (url, in_the_clear) in [
            ("http://127.0.0.1:3000", false),
            ("http://[::1]:3000", false),
            ("http://localhost:3000", false),
            ("https://box.example:3000", false),
            ("http://box.example:3000", true),
            ("box.example:3000", true),
            ("http://127.0.0.1.example:3000", true),
            ("http://192.0.2.1:3000", true),
        ] {
            assert_eq!(parse(url).unwrap().is_in_the_clear(), in_the_clear, "{url}");
        }
        for wrong in ["ftp://example.org", "http://", "http://a:b", "http://u@h:1"] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with("transport error: "), "{error}");
        }
    }
}
