//! The ports of gateway and remote, and who holds them.

use std::fs::File;
use std::net::SocketAddr;

use super::subject::{Instance, Subject};
use crate::config::TlsFiles;
use crate::domain::check::Check;
use crate::runtime::ports::{self, BindError, Choice};

pub(super) const NAMES: [&str; 2] = ["ports.gateway", "ports.remote"];

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    let Some(settings) = subject.settings_or_default() else {
        return Vec::new();
    };
    let status = subject.status();
    let gateway = Listener {
        name: "ports.gateway",
        key: "gateway.bind",
        is_enabled: settings.gateway.enabled,
        bind: settings.gateway.bind,
        is_named: settings.gateway.bind_named,
        tls: None,
        url: status.and_then(|status| Some(status.gateway.as_ref()?.url.clone())),
    };
    let remote = Listener {
        name: "ports.remote",
        key: "remote.bind",
        is_enabled: settings.remote.enabled,
        bind: settings.remote.bind,
        is_named: settings.remote.bind_named,
        tls: settings.remote.tls,
        url: status.and_then(|status| Some(status.remote.as_ref()?.url.clone())),
    };
    vec![
        gateway.check(&subject.instance),
        remote.check(&subject.instance),
    ]
}

struct Listener {
    name: &'static str,
    key: &'static str,
    is_enabled: bool,
    bind: SocketAddr,
    is_named: bool,
    tls: Option<TlsFiles>,
    /// Where the running instance listens.
    url: Option<String>,
}

impl Listener {
    fn check(&self, instance: &Instance) -> Check {
        let Self {
            name, key, bind, ..
        } = self;
        match (&self.url, instance) {
            (Some(url), _) => return Check::ok(*name, format!("{url}, of the running tundra")),
            (None, _) if !self.is_enabled => {
                return Check::skip(
                    *name,
                    format!("{} is disabled", key.trim_end_matches(".bind")),
                );
            }
            (None, Instance::Running { .. }) => {
                return Check::fail(
                    *name,
                    format!("the running tundra does not listen on {bind}"),
                    "tundra logs --level warn tells why; it listens after the next start",
                );
            }
            (None, Instance::None | Instance::Silent(_)) => {}
        }
        if let Some(unreadable) = self.unreadable() {
            return unreadable;
        }
        if bind.port() == 0 {
            return Check::ok(*name, format!("{bind}: any free port"));
        }
        // What the start would do: somebody's hold on it is not all that can be in the way.
        match ports::listen(*bind, Choice::Named) {
            Ok(_) => Check::ok(*name, format!("{bind} is free")),
            Err(BindError::Busy { holder, .. }) if !self.is_named => Check::ok(
                *name,
                format!(
                    "{bind} is in use{holder}: the next free port is taken, since {key} does not name it"
                ),
            ),
            Err(error @ BindError::Busy { .. }) => Check::fail(
                *name,
                error.to_string(),
                format!("end that program, or another port in {key}"),
            ),
            Err(error @ BindError::Other { .. }) => Check::fail(
                *name,
                error.to_string(),
                format!("an address of this machine in {key}, and a port from 1024 on"),
            ),
        }
    }

    /// The first of the files that TLS needs which cannot be read.
    fn unreadable(&self) -> Option<Check> {
        let files = self.tls.as_ref()?;
        let unread = [&files.cert, &files.key].into_iter().find_map(|path| {
            let error = File::open(path).err()?;
            Some(format!("{}: {error}", path.display()))
        })?;
        Some(Check::fail(
            self.name,
            format!("TLS cannot be served: {unread}"),
            "correct remote.tls_cert and remote.tls_key, or leave both out: a self-signed certificate is made",
        ))
    }
}
