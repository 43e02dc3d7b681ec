//! Who may come in: callers on this machine with a valid key, and no web page.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use http::uri::Authority;
use percent_encoding::percent_decode_str;

use crate::domain::caller::Caller;
use crate::gateway::error::Refusal;
use crate::gateway::keys::{CALLER_KEY_DIGITS, CALLER_KEY_START, CallerKey, KeyRing};
use crate::gateway::upstream::headers::TERMINAL_KEY;

/// Parameters that clients of other vendors put a key in.
const KEY_PARAMETERS: [&str; 7] = [
    "key",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "token",
    "access_token",
];

/// Refuses what a browser was tricked into sending: a name that was rebound to loopback, a page of another origin.
///
/// Where there are two hosts or two origins, or an absolute address beside the Host header, nobody can say which one
/// somebody else would look at: each must be this machine.
pub fn check_origin(uri: &Uri, headers: &HeaderMap, bound: IpAddr) -> Result<(), Refusal> {
    let is_here = |host: &str| is_here(host, bound);
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None, None) => uri.authority().map(Authority::as_str),
        _ => None,
    };
    let foreign_target = uri
        .authority()
        .is_some_and(|authority| !is_here(authority.as_str()));
    if foreign_target || !host.is_some_and(is_here) {
        return Err(Refusal::ForeignHost);
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => Ok(()),
        (Some(origin), None)
            if origin.to_str().is_ok_and(|origin| {
                let host = origin
                    .strip_prefix("http://")
                    .or_else(|| origin.strip_prefix("https://"));
                host.is_some_and(is_here)
            }) =>
        {
            Ok(())
        }
        (Some(_), _) => Err(Refusal::ForeignOrigin),
    }
}

/// Who calls, and whether it has shown its terminal's key apart from a login of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub caller: Caller,
    pub is_apart: bool,
}

/// Takes the terminal's key out of a path such as `/t/KEY/v1/messages`, so that nothing further in sees it.
pub fn take_path_key(uri: &mut Uri) -> Option<CallerKey> {
    let rest = uri.path().strip_prefix("/t/")?;
    let (key, path) = rest.split_once('/').unwrap_or((rest, ""));
    let key = CallerKey::shown(key);
    let path = match uri.query() {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.parse().ok()?);
    *uri = Uri::from_parts(parts).ok()?;
    Some(key)
}

/// Finds who calls: by the key in `x-tundra-key` or the path, else by the one in the place of a login.
pub fn check_key(
    uri: &Uri,
    path_key: Option<&CallerKey>,
    headers: &HeaderMap,
    keys: &KeyRing,
) -> Result<Identity, Refusal> {
    check_query(uri)?;
    let text = |value: &HeaderValue| value.to_str().ok().map(|text| text.trim().to_owned());
    let header = headers.get(TERMINAL_KEY).map(text);
    let apart = match header {
        Some(key) => Some(key.unwrap_or_default()),
        None => path_key.map(|key| key.reveal().to_owned()),
    };
    if let Some(key) = apart {
        let caller = keys.who(&key).ok_or(Refusal::WrongKey)?;
        return Ok(Identity {
            caller,
            is_apart: !secrets(headers).any(|secret| keys.who(secret).is_some()),
        });
    }
    let mut shown = secrets(headers).peekable();
    if shown.peek().is_none() {
        return Err(Refusal::NoKey);
    }
    let caller = shown
        .find_map(|key| keys.who(key))
        .ok_or(Refusal::WrongKey)?;
    Ok(Identity {
        caller,
        is_apart: false,
    })
}

/// What a caller shows where a vendor's client shows its secret.
fn secrets(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    let plain = ["x-api-key", "x-goog-api-key"].into_iter();
    let plain = plain.filter_map(|name| headers.get(name)?.to_str().ok());
    bearer.into_iter().chain(plain.map(str::trim))
}

/// Whether a request shows a secret that is none of tundra's keys, such as a login.
pub fn shows_foreign_secret(headers: &HeaderMap, keys: &KeyRing) -> bool {
    let shown = [AUTHORIZATION.as_str(), "x-api-key", "x-goog-api-key"];
    let shown = shown.iter().filter(|name| headers.contains_key(**name));
    let ours = secrets(headers).filter(|secret| keys.who(secret).is_some());
    shown.count() > ours.count()
}

/// Refuses a key in the query, under whatever name and however it is encoded: the query goes on to the provider.
pub fn check_query(uri: &Uri) -> Result<(), Refusal> {
    let has_key = uri.query().unwrap_or_default().split('&').any(|pair| {
        let pair = percent_decode_str(pair).decode_utf8_lossy();
        let name = pair.split_once('=').map_or(&*pair, |(name, _)| name);
        KEY_PARAMETERS
            .iter()
            .any(|key| name.eq_ignore_ascii_case(key))
            || holds_caller_key(&pair)
    });
    if has_key {
        Err(Refusal::KeyInQuery)
    } else {
        Ok(())
    }
}

/// Refuses a change to another protocol that its client would wait for. One that a client only offers, such as `h2c`, is
/// left as if it were not there (RFC 9110 7.8).
pub fn check_upgrade(headers: &HeaderMap) -> Result<(), Refusal> {
    let asked = headers.get_all(UPGRADE).iter();
    let mut protocols = asked
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    match protocols.find(|name| name.eq_ignore_ascii_case("websocket")) {
        Some(name) => Err(Refusal::Upgrade(name.to_ascii_lowercase())),
        None => Ok(()),
    }
}

/// A path as it may be told and logged: a segment that holds a caller's key, however it is encoded, is left out.
pub fn loggable(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let decoded = percent_decode_str(segment).decode_utf8_lossy();
        if holds_caller_key(&decoded) {
            "…"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a caller's key stands anywhere in the text, valid or not.
fn holds_caller_key(text: &str) -> bool {
    text.match_indices(CALLER_KEY_START).any(|(at, start)| {
        let rest = text.as_bytes().iter().skip(at + start.len());
        rest.take_while(|byte| byte.is_ascii_hexdigit()).count() >= CALLER_KEY_DIGITS
    })
}

/// Whether `host[:port]`, and nothing more, names loopback or the very address that is listened on (RFC 3986 3.2).
fn is_here(authority: &str, bound: IpAddr) -> bool {
    let Some(host) = host_of(authority) else {
        return false;
    };
    let address = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<Ipv6Addr>().map(IpAddr::from),
        None => host.parse::<Ipv4Addr>().map(IpAddr::from),
    };
    if let Ok(address) = address {
        address.is_loopback() || (address == bound && !bound.is_unspecified())
    } else {
        let name = host.strip_suffix('.').unwrap_or(host);
        name.eq_ignore_ascii_case("localhost")
    }
}

/// The host of an authority without user information, whose port is one where it has any.
fn host_of(authority: &str) -> Option<&str> {
    let (host, rest) = match authority.find(']') {
        Some(end) if authority.starts_with('[') => authority.split_at(end + 1),
        Some(_) => return None,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let sound = match rest.strip_prefix(':') {
        Some(port) => is_port(port),
        None => rest.is_empty(),
    };
    (sound && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TerminalId;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<http::HeaderName>().unwrap(),
                    value.parse().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn only_this_machine_is_a_host_or_origin() {
        let uri = Uri::from_static("/v1/messages");
        let checked = |pairs: &[_]| check_origin(&uri, &headers(pairs), HERE);
        for host in [
            "127.0.0.1:3100",
            "localhost",
            "LOCALHOST:1",
            "[::1]:3100",
            "127.8.8.8",
        ] {
            assert_eq!(checked(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "localhost.evil.com",
            "",
            "evil@127.0.0.1:3100",
            "127.0.0.1@evil.example",
            "127.0.0.1:+3100",
            "127.0.0.1:-1",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "127.0.0.1:3100/",
            "127.0.0.1 ",
            "[127.0.0.1]:1",
            "::1",
            "[::1]evil",
            "http://127.0.0.1",
            "127.1",
            "0x7f.0.0.1",
        ] {
            assert_eq!(
                checked(&[("host", host)]),
                Err(Refusal::ForeignHost),
                "{host}"
            );
        }
        assert_eq!(checked(&[]), Err(Refusal::ForeignHost));
        let with = |origin| checked(&[("host", "localhost"), ("origin", origin)]);
        assert_eq!(with("http://localhost:5173"), Ok(()));
        for origin in [
            "https://evil.example",
            "null",
            "http://127.0.0.1.evil.example",
            "http://127.0.0.1@evil.example",
            "http://localhost/",
            "ftp://localhost",
            "localhost",
        ] {
            assert_eq!(with(origin), Err(Refusal::ForeignOrigin), "{origin}");
        }
        let twice = [("host", "localhost"), ("host", "127.0.0.1")];
        let mut two_hosts = HeaderMap::new();
        for (name, value) in twice {
            two_hosts.append(name, value.parse().unwrap());
        }
        let refused = check_origin(&uri, &two_hosts, HERE);
        assert_eq!(refused, Err(Refusal::ForeignHost));
        let absolute = |uri| {
            check_origin(
                &Uri::from_static(uri),
                &headers(&[("host", "localhost")]),
                HERE,
            )
        };
        assert_eq!(absolute("http://127.0.0.1:3100/v1/models"), Ok(()));
        assert_eq!(
            absolute("http://evil.example/v1/models"),
            Err(Refusal::ForeignHost)
        );
    }

    #[test]
    fn a_key_comes_in_a_header_and_nowhere_else() {
        let keys = KeyRing::default();
        let terminal = TerminalId::random();
        let key = keys.issue(terminal);
        let plain = Uri::from_static("/v1/messages?beta=true");
        let bearer = format!("bearer {}", key.reveal());
        let identity = |is_apart| {
            Ok(Identity {
                caller: Caller::Terminal(terminal),
                is_apart,
            })
        };
        let check = |headers: &HeaderMap| check_key(&plain, None, headers, &keys);
        for pairs in [
            [("authorization", bearer.as_str())],
            [("x-api-key", key.reveal())],
            [("x-goog-api-key", key.reveal())],
        ] {
            assert_eq!(check(&headers(&pairs)), identity(false));
        }
        assert_eq!(check(&headers(&[])), Err(Refusal::NoKey));
        let guess = headers(&[("x-api-key", "guess")]);
        assert_eq!(check(&guess), Err(Refusal::WrongKey));
        let harmless = Uri::from_static("/v1/messages?user=tundra-dev");
        assert_eq!(check_query(&harmless), Ok(()));
        let encoded = key.reveal().replace('t', "%74");
        for query in [
            format!("api_key={}", key.reveal()),
            "x%2Dapi%2Dkey=abc".to_owned(),
            format!("beta=true&foo={}", key.reveal()),
            format!("foo={encoded}"),
        ] {
            let uri: Uri = format!("/v1/models?{query}").parse().unwrap();
            assert_eq!(
                check_key(&uri, None, &headers(&[("x-api-key", key.reveal())]), &keys),
                Err(Refusal::KeyInQuery),
                "{query}"
            );
        }
    }

    #[test]
    fn a_key_that_went_astray_in_a_path_is_told_nowhere() {
        let key = KeyRing::default().issue(TerminalId::random());
        let (key, encoded) = (key.reveal(), key.reveal().replace('t', "%74"));
        for (path, told) in [
            ("/v1/messages".to_owned(), "/v1/messages"),
            (format!("/t/{key}/v1"), "/t/…/v1"),
            (format!("/t/{encoded}"), "/t/…"),
            (format!("//x-{key}"), "//…"),
        ] {
            assert_eq!(loggable(&path), told);
        }
    }

    #[test]
    fn a_key_may_stand_apart_from_a_login() {
        let keys = KeyRing::default();
        let terminal = TerminalId::random();
        let key = keys.issue(terminal);
        let uri = Uri::from_static("/v1/messages");
        let check = |path_key: Option<&CallerKey>, pairs: &[_]| {
            check_key(&uri, path_key, &headers(pairs), &keys).map(|identity| identity.is_apart)
        };
        let login = ("authorization", "Bearer sk-ant-oat01-x");
        let header = ("x-tundra-key", key.reveal());
        assert_eq!(check(None, &[header, login]), Ok(true));
        assert_eq!(check(Some(&key), &[login]), Ok(true));
        assert_eq!(check(Some(&key), &[]), Ok(true));
        assert_eq!(check(Some(&key), &[("x-api-key", key.reveal())]), Ok(false));
        let wrong = CallerKey::shown("tundra-wrong");
        assert_eq!(check(Some(&wrong), &[login]), Err(Refusal::WrongKey));
        let refused = check(None, &[("x-tundra-key", ""), ("x-api-key", key.reveal())]);
        assert_eq!(refused, Err(Refusal::WrongKey));
    }

    #[test]
    fn a_key_in_the_path_is_taken_out_of_it() {
        let taken = |text: &str| {
            let mut uri: Uri = text.parse().unwrap();
            let key = take_path_key(&mut uri);
            (key.map(|key| key.reveal().to_owned()), uri.to_string())
        };
        let key = || Some("KEY".to_owned());
        for (given, left) in [
            ("/t/KEY/v1/messages?beta=true", "/v1/messages?beta=true"),
            ("/t/KEY/", "/"),
            ("/t/KEY", "/"),
            ("http://127.0.0.1:1/t/KEY/v1", "http://127.0.0.1:1/v1"),
        ] {
            assert_eq!(taken(given), (key(), left.to_owned()));
        }
        assert_eq!(taken("/v1/t/KEY"), (None, "/v1/t/KEY".to_owned()));
    }
}
