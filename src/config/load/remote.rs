//! The section `[remote]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::super::reader::{Item, Table};
use super::super::settings::{Remote, TlsFiles};
use super::values::{MAX_GRACE, MAX_LIFETIME, expand_home};

/// The port of a user who named none.
const DEFAULT_PORT: u16 = 3000;
/// More than this of every terminal's output would weigh on the whole machine.
const MAX_REPLAY_BYTES: i64 = 64 << 20;

pub(super) fn defaults() -> Remote {
    Remote {
        enabled: true,
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
        bind_named: false,
        reconnect_grace: Duration::from_secs(10),
        replay_bytes: 1 << 20,
        idle_timeout: Duration::from_secs(300),
        heartbeat_interval: Duration::from_secs(30),
        pong_timeout: Duration::from_secs(10),
        allowed_origins: Vec::new(),
        tls: None,
        max_viewers: 64,
    }
}

pub(super) fn read(table: &mut Table<'_>, remote: &mut Remote) {
    table.read("enabled", &mut remote.enabled, Item::boolean);
    if let Some(bind) = table.item("bind").as_ref().and_then(address) {
        remote.bind = bind;
        remote.bind_named = true;
    }
    table.read("reconnect_grace", &mut remote.reconnect_grace, |item| {
        item.duration(MAX_LIFETIME)
    });
    table.read("replay_bytes", &mut remote.replay_bytes, |item| {
        item.integer(0..=MAX_REPLAY_BYTES)
    });
    for (key, slot) in [
        ("idle_timeout", &mut remote.idle_timeout),
        ("heartbeat_interval", &mut remote.heartbeat_interval),
        ("pong_timeout", &mut remote.pong_timeout),
    ] {
        table.read(key, slot, |item| match item.duration(MAX_GRACE * 24)? {
            Duration::ZERO => item.fault("must be longer than 0s"),
            duration => Some(duration),
        });
    }
    table.read("allowed_origins", &mut remote.allowed_origins, origins);
    let cert = table.item("tls_cert");
    let key = table.item("tls_key");
    remote.tls = match (cert, key) {
        (Some(cert), Some(key)) => file(&cert)
            .zip(file(&key))
            .map(|(cert, key)| TlsFiles { cert, key }),
        (Some(cert), None) => cert.fault("must come with remote.tls_key"),
        (None, Some(key)) => key.fault("must come with remote.tls_cert"),
        (None, None) => None,
    };
    table.read("max_viewers", &mut remote.max_viewers, |item| {
        item.integer(1..=10_000)
    });
}

fn address(item: &Item<'_>) -> Option<SocketAddr> {
    let text = item.string()?;
    let named = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    match named.as_deref().unwrap_or(text).parse() {
        Ok(address) => Some(address),
        Err(_) => item.fault(
            "must be an address with its port, such as \"127.0.0.1:3000\" or \"[::1]:3000\"",
        ),
    }
}

fn origins(item: &Item<'_>) -> Option<Vec<String>> {
    let items = item.elements("an array of origins")?;
    let count = items.len();
    let origins: Vec<String> = items
        .iter()
        .filter_map(|item| {
            let text = item.string()?.trim_end_matches('/').to_ascii_lowercase();
            // As browsers write it: the scheme's own port is left out.
            let own_port = if text.starts_with("https:") {
                ":443"
            } else {
                ":80"
            };
            let text = text.strip_suffix(own_port).unwrap_or(&text).to_owned();
            let host = ["http://", "https://"]
                .iter()
                .find_map(|scheme| text.strip_prefix(scheme));
            match host {
                Some(host)
                    if !host.is_empty() && !host.contains(['/', '?', '#', '@', '*', ' ']) =>
                {
                    Some(text)
                }
                _ => item.fault("must be an origin, such as \"https://tundra.example.org\""),
            }
        })
        .collect();
    (origins.len() == count).then_some(origins)
}

fn file(item: &Item<'_>) -> Option<PathBuf> {
    match item.string()? {
        "" => item.fault("must name a file"),
        text => expand_home(item, text),
    }
}
