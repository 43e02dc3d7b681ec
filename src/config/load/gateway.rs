//! The sections `[gateway]`, `[circuit_breaker]` and `[timeouts]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::super::reader::{Item, Table};
use super::super::settings::{Gateway, Remote};
use super::values::MAX_GRACE;
use crate::domain::breaker::BreakerSettings;
use crate::domain::login::Spill;
use crate::domain::route::Translation;
use crate::domain::timeouts::Timeouts;

/// The port of a user who named none.
const DEFAULT_PORT: u16 = 3100;
/// Beyond a day, a wait is a mistake of the unit.
const MAX_WAIT: Duration = Duration::from_secs(86_400);
/// A larger count of failures in a row never comes about.
const MAX_COUNT: i64 = 1000;
/// Past the time to connect and for the first byte, a probe that is silent is lost.
const PROBE_SLACK: Duration = Duration::from_secs(5);

pub(super) fn defaults() -> Gateway {
    Gateway {
        enabled: true,
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
        bind_named: false,
        max_wait: Duration::from_secs(10),
        max_body: 32 << 20,
        translation: Translation::default(),
        spill: Spill::default(),
        affinity: Duration::from_secs(300),
    }
}

pub(super) fn read(table: &mut Table<'_>, gateway: &mut Gateway, remote: &Remote) {
    table.read("enabled", &mut gateway.enabled, Item::boolean);
    if let Some(item) = table.item("bind")
        && let Some(bind) = loopback(&item)
    {
        gateway.bind = bind;
        gateway.bind_named = true;
        if gateway.enabled && remote.enabled && remote.bind_named && collide(bind, remote.bind) {
            item.fault::<()>("must differ from remote.bind");
        }
    }
    table.read("max_wait", &mut gateway.max_wait, |item| {
        item.duration(MAX_GRACE)
    });
    table.read("max_body", &mut gateway.max_body, |item| {
        let bytes = item.size(1 << 10..=1 << 30)?;
        usize::try_from(bytes).ok()
    });
    table.read("translation", &mut gateway.translation, |item| {
        item.one_of(&Translation::ALL.map(|when| (when.as_str(), when)))
    });
    table.read("spill", &mut gateway.spill, |item| {
        item.one_of(&Spill::ALL.map(|spill| (spill.as_str(), spill)))
    });
    table.read("affinity", &mut gateway.affinity, |item| {
        item.duration(MAX_WAIT)
    });
}

pub(super) fn read_breaker(table: &mut Table<'_>, breaker: &mut BreakerSettings) {
    for (key, slot) in [
        ("failure_threshold", &mut breaker.failure_threshold),
        ("timeout_threshold", &mut breaker.timeout_threshold),
        ("success_threshold", &mut breaker.success_threshold),
        ("half_open_requests", &mut breaker.half_open_requests),
    ] {
        table.read(key, slot, |item| item.integer(1..=MAX_COUNT));
    }
    table.read("open_for", &mut breaker.open_for, |item| some_time(item));
    table.read("early_probe", &mut breaker.early_probe, |item| {
        item.duration(MAX_GRACE)
    });
}

pub(super) fn read_timeouts(table: &mut Table<'_>, timeouts: &mut Timeouts) {
    for (key, slot) in [
        ("connect", &mut timeouts.connect),
        ("first_byte", &mut timeouts.first_byte),
        ("stream_idle", &mut timeouts.stream_idle),
    ] {
        table.read(key, slot, |item| some_time(item));
    }
}

/// How long the outcome of a breaker's probe is awaited.
pub(super) fn probe_lease(timeouts: Timeouts) -> Duration {
    timeouts.connect + timeouts.first_byte + PROBE_SLACK
}

fn some_time(item: &Item<'_>) -> Option<Duration> {
    match item.duration(MAX_WAIT)? {
        Duration::ZERO => item.fault("must be longer than 0s"),
        duration => Some(duration),
    }
}

/// Keys travel in the clear here, so nobody but this machine may listen.
/// Whether two listeners cannot have both of these addresses.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let same_ip = one.ip() == other.ip() || other.ip().is_unspecified();
    same_ip && one.port() == other.port() && one.port() != 0
}

fn loopback(item: &Item<'_>) -> Option<SocketAddr> {
    let text = item.string()?;
    let numbered = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    match numbered.as_deref().unwrap_or(text).parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Some(address),
        _ => item.fault(
            "must be a loopback address with its port, such as \"127.0.0.1:3100\" or \"[::1]:3100\"",
        ),
    }
}
