//! Attaching from outside: the routes, the rules, the two modes, and what cuts and slow viewers do.

mod attach;
mod browser;
mod flood;
mod hostile;
mod lifetime;
mod plain;
mod push;
mod python;
mod routes;
mod rules;
mod v1;

use crate::support::Serve;
use crate::support::viewer::Remote;

/// An instance whose listener has a port of its own, with these lines in `[remote]`.
fn instance(lines: &str) -> (Serve, Remote) {
    let config = format!(
        "[pty]\nmax_ptys = 4\n[gateway]\nenabled = false\n[remote]\nbind = \"127.0.0.1:0\"\n{lines}\n"
    );
    let serve = Serve::with_config(&config);
    let remote = Remote::of(&serve);
    (serve, remote)
}
