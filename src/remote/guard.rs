//! Which requests are looked at: Host against rebinding, Origin against foreign pages, and credentials.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderName};

use super::auth::{Auth, SessionError};

/// Where a page tells its key.
pub(super) const PAGE_KEY: HeaderName = HeaderName::from_static("x-tundra-page");
/// What a subprotocol begins with that is a page's key; it is never chosen.
const PAGE_KEY_PROTOCOL: &str = "tundra.page.";

/// Where a listener is, which decides what Host and Origin may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub address: SocketAddr,
    pub tls: bool,
    /// The name of this machine, in small letters.
    pub machine: Option<String>,
}

/// What a request showed to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    Bearer,
    /// A session's cookie and its page key.
    Session,
    /// Came over the local socket, which only its owner can open.
    Local,
    None(Missing),
}

/// What is wrong with the credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// There are none.
    All,
    /// The bearer token is not this instance's.
    WrongBearer,
    Session(SessionError),
}

impl Missing {
    /// For the log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::All => "no bearer token and no session cookie",
            Self::WrongBearer => "the bearer token is wrong",
            Self::Session(SessionError::Unknown) => "the cookie is of no session of this run",
            Self::Session(SessionError::NoPageKey) => "a cookie without its page key",
            Self::Session(SessionError::WrongPageKey) => "the page key is not the cookie's",
        }
    }
}

/// Whether a request tells where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OriginState {
    Own,
    Missing,
    Foreign,
}

impl Site {
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The address as a browser on this machine reaches it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme(), reachable(self.address))
    }

    /// How browsers reach a host: behind a proxy as its allowed origin says, else as it is served here.
    pub fn scheme_of(&self, host: &str, allowed_origins: &[String]) -> &'static str {
        let proxied = allowed_origins
            .iter()
            .find_map(|origin| proxied_scheme(origin, host));
        proxied.unwrap_or(self.scheme())
    }

    /// The hosts that this listener answers to, for people.
    pub fn hosts(&self, allowed_origins: &[String]) -> String {
        let own = reachable(self.address).to_string();
        let proxied = allowed_origins
            .iter()
            .filter_map(|origin| Some(origin.split_once("://")?.1));
        std::iter::once(own.as_str())
            .chain(proxied)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The origins whose requests are taken, for people.
    pub fn origins(&self, host: &str, allowed_origins: &[String]) -> String {
        let own = format!("{}://{host}", self.scheme_of(host, allowed_origins));
        std::iter::once(own.as_str())
            .chain(allowed_origins.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Whether the Host header names this listener: an attacker's name that resolves to it does not.
    pub fn is_host(&self, headers: &HeaderMap, allowed_origins: &[String]) -> bool {
        only(headers, &HOST).is_some_and(|host| self.is_authority(host, allowed_origins))
    }

    /// Whether a host and its port name this listener.
    pub fn is_authority(&self, host: &str, allowed_origins: &[String]) -> bool {
        let host = host.to_ascii_lowercase();
        let allowed = allowed_origins
            .iter()
            .any(|origin| proxied_scheme(origin, &host).is_some());
        if allowed {
            return true;
        }
        let (name, port) = split_port(&host);
        let default_port = if self.tls { 443 } else { 80 };
        let port = match port {
            None => Some(default_port),
            // A sign is no part of a port, though Rust would read one.
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok(),
            Some(_) => None,
        };
        if port != Some(self.address.port()) {
            return false;
        }
        let ip: Option<IpAddr> = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok();
        let bound = self.address.ip();
        match ip {
            // Rebinding needs a name: an address as such can only be the one that was connected to.
            Some(ip) => {
                bound.is_unspecified() || ip == bound || (ip.is_loopback() && bound.is_loopback())
            }
            None if bound.is_loopback() => name == "localhost",
            None if bound.is_unspecified() && name == "localhost" => true,
            // Nobody else can make this machine's own name lead elsewhere for those who use it.
            None => self.machine.as_deref() == Some(name),
        }
    }

    /// Compares the Origin header, where there is one, with this very site.
    pub fn origin(&self, headers: &HeaderMap, allowed_origins: &[String]) -> OriginState {
        if !headers.contains_key(ORIGIN) {
            return OriginState::Missing;
        }
        let (Some(origin), Some(host)) = (only(headers, &ORIGIN), only(headers, &HOST)) else {
            return OriginState::Foreign;
        };
        let origin = origin.to_ascii_lowercase();
        let own = format!(
            "{}://{}",
            self.scheme_of(host, allowed_origins),
            host.to_ascii_lowercase()
        );
        if origin == own || allowed_origins.contains(&origin) {
            OriginState::Own
        } else {
            OriginState::Foreign
        }
    }
}

/// An address as others reach it.
pub(super) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(reachable_ip(address.ip()));
    }
    address
}

/// This machine's address as others see it: the one that its packets to the outside would carry. Nothing is sent.
fn reachable_ip(wildcard: IpAddr) -> IpAddr {
    let (any, loopback, far) = match wildcard {
        IpAddr::V4(_) => ("0.0.0.0:0", IpAddr::from([127, 0, 0, 1]), "192.0.2.1:9"),
        IpAddr::V6(_) => (
            "[::]:0",
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
            "[2001:db8::1]:9",
        ),
    };
    std::net::UdpSocket::bind(any)
        .and_then(|socket| {
            socket.connect(far)?;
            socket.local_addr()
        })
        .map_or(loopback, |address| address.ip())
}

/// What a request shows to be let in; only what is valid counts.
pub(super) fn credential(headers: &HeaderMap, auth: &Auth, now: Instant) -> Credential {
    let bearer = bearer(headers);
    if bearer.is_some_and(|token| auth.is_token(token)) {
        return Credential::Bearer;
    }
    let mut cookies = cookies(headers, auth.cookie()).peekable();
    if cookies.peek().is_none() {
        return Credential::None(match bearer {
            Some(_) => Missing::WrongBearer,
            None => Missing::All,
        });
    }
    match auth.check_session(cookies, page_key(headers), now) {
        Ok(()) => Credential::Session,
        Err(error) => Credential::None(Missing::Session(error)),
    }
}

/// The values of all cookies of a name.
pub(super) fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(given, _)| *given == name)
        .map(|(_, value)| value)
}

/// The names in a header that lists some.
pub(super) fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// The page key of a request: in a header of its own, or among the subprotocols of a socket, since a page can give a
/// socket no header.
fn page_key(headers: &HeaderMap) -> Option<&str> {
    only(headers, &PAGE_KEY).or_else(|| {
        listed(headers, SEC_WEBSOCKET_PROTOCOL)
            .find_map(|offered| offered.strip_prefix(PAGE_KEY_PROTOCOL))
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = only(headers, &AUTHORIZATION)?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// The scheme of an allowed origin, if that is the host's. A scheme's own port may be written out.
fn proxied_scheme(origin: &str, host: &str) -> Option<&'static str> {
    let (scheme, allowed) = origin.split_once("://")?;
    let (scheme, port) = match scheme {
        "https" => ("https", ":443"),
        _ => ("http", ":80"),
    };
    let host = host.strip_suffix(port).unwrap_or(host);
    host.eq_ignore_ascii_case(allowed).then_some(scheme)
}

/// The value of a header that stands exactly once.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Host and port of an authority; brackets stay with the host.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn site(address: &str, tls: bool) -> Site {
        Site {
            address: address.parse().unwrap(),
            tls,
            machine: Some("box".to_owned()),
        }
    }

    #[test]
    fn a_host_that_is_not_ours_is_refused() {
        let loopback = site("127.0.0.1:3000", false);
        let public = site("0.0.0.0:3000", true);
        let proxied = ["https://tundra.example.org".to_owned()];
        for (site, host, good) in [
            (&loopback, "127.0.0.1:3000", true),
            (&loopback, "localhost:3000", true),
            (&loopback, "LOCALHOST:3000", true),
            (&loopback, "[::1]:3000", true),
            (&loopback, "127.0.0.1", false),
            (&loopback, "127.0.0.1:3001", false),
            (&loopback, "127.0.0.1:+3000", false),
            (&loopback, "127.0.0.1:", false),
            (&loopback, "user@127.0.0.1:3000", false),
            (&loopback, "10.0.0.1:3000", false),
            (&loopback, "evil.example:3000", false),
            (&loopback, "localhost.evil.example:3000", false),
            (&loopback, "tundra.example.org", true),
            (&loopback, "tundra.example.org:3000", false),
            (&loopback, "tundra.example.org:443", true),
            (&public, "10.0.0.1:3000", true),
            (&public, "evil.example:3000", false),
            (&public, "Box:3000", true),
            (&loopback, "box:3000", false),
        ] {
            let headers = headers(&[("host", host)]);
            assert_eq!(site.is_host(&headers, &proxied), good, "{host}");
        }
        let twice = headers(&[("host", "127.0.0.1:3000"), ("host", "127.0.0.1:3000")]);
        assert!(!loopback.is_host(&twice, &[]));
    }

    #[test]
    fn an_origin_must_match_exactly() {
        let site = site("127.0.0.1:3000", false);
        let allowed = ["https://tundra.example.org".to_owned()];
        for (origin, state) in [
            ("http://127.0.0.1:3000", OriginState::Own),
            ("https://tundra.example.org", OriginState::Own),
            ("https://127.0.0.1:3000", OriginState::Foreign),
            ("http://localhost:3000", OriginState::Foreign),
            ("http://127.0.0.1:8080", OriginState::Foreign),
            ("http://127.0.0.1", OriginState::Foreign),
            ("null", OriginState::Foreign),
            ("", OriginState::Foreign),
        ] {
            let headers = headers(&[("host", "127.0.0.1:3000"), ("origin", origin)]);
            assert_eq!(site.origin(&headers, &allowed), state, "{origin}");
        }
        for (origin, state) in [
            ("https://tundra.example.org", OriginState::Own),
            ("http://tundra.example.org", OriginState::Foreign),
        ] {
            let headers = headers(&[("host", "tundra.example.org"), ("origin", origin)]);
            assert_eq!(site.origin(&headers, &allowed), state, "{origin}");
        }
        let none = headers(&[("host", "127.0.0.1:3000")]);
        assert_eq!(site.origin(&none, &allowed), OriginState::Missing);
    }
}
