//! The host that is connected to for a profile, by its address and the environment's proxies.

use crate::domain::profile::Profile;

/// Where connections go: the provider's host, or the proxy's that stands before it.
pub(super) struct Host {
    pub name: String,
    pub port: u16,
    pub is_tls: bool,
    /// Whether the provider itself is on this machine.
    pub is_here: bool,
    proxy: Option<String>,
}

impl Host {
    /// None where the profile's address is none.
    pub fn of(profile: &Profile) -> Option<Self> {
        let (scheme, rest) = profile.base_url.split_once("://")?;
        let is_tls = scheme.eq_ignore_ascii_case("https");
        let (name, port) = authority(rest, if is_tls { 443 } else { 80 })?;
        let own = Self {
            is_here: is_loopback(&name),
            name,
            port,
            is_tls,
            proxy: None,
        };
        Some(own.behind_proxy().unwrap_or(own))
    }

    /// The proxy that the environment names for it, as the client finds it.
    fn behind_proxy(&self) -> Option<Self> {
        if self.is_here || is_exempt(&self.name) {
            return None;
        }
        let names: [&str; 4] = if self.is_tls {
            ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        } else {
            ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        };
        let proxy = names
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        let rest = proxy
            .split_once("://")
            .map_or(proxy.as_str(), |(_, rest)| rest);
        let (name, port) = authority(rest, 80)?;
        Some(Self {
            proxy: Some(format!("{name}:{port}")),
            name,
            port,
            is_tls: self.is_tls,
            is_here: self.is_here,
        })
    }

    /// As it is told to people.
    pub fn shown(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("the proxy {proxy}"),
            None => format!("{}:{}", self.name, self.port),
        }
    }
}

/// Host and port of what follows a scheme, without user information.
fn authority(rest: &str, default_port: u16) -> Option<(String, u16)> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (name, port) = match authority.strip_prefix('[') {
        Some(six) => {
            let (name, rest) = six.split_once(']')?;
            (name, rest.strip_prefix(':'))
        }
        None => match authority.rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    if name.is_empty() {
        return None;
    }
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => default_port,
    };
    Some((name.to_owned(), port))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Whether `NO_PROXY` names the host, or a domain that it is in.
fn is_exempt(host: &str) -> bool {
    let list = ["no_proxy", "NO_PROXY"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    list.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .any(|entry| {
            let domain = entry.trim_start_matches('.');
            entry == "*"
                || (!domain.is_empty()
                    && (host == domain
                        || host
                            .strip_suffix(domain)
                            .is_some_and(|rest| rest.ends_with('.'))))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_from_addresses_of_every_form() {
        let read = |rest| authority(rest, 443);
        assert_eq!(
            read("api.example.org/v1"),
            Some(("api.example.org".to_owned(), 443))
        );
        assert_eq!(read("user:secret@h:8080?x"), Some(("h".to_owned(), 8080)));
        assert_eq!(read("[::1]:3100/t"), Some(("::1".to_owned(), 3100)));
        assert_eq!(read("[::1]"), Some(("::1".to_owned(), 443)));
        assert_eq!(read(":80"), None);
        assert_eq!(read("h:port"), None);
    }
}
