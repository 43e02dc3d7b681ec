//! What may come before an answer: informational answers (1xx, RFC 9110, section 15.2), of which HTTP allows any number.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Extensions, Request};
use hyper::ext::on_informational;
use hyper_util::client::legacy::connect::capture_connection;

use super::link::Cut;

/// The most bytes of them for one request; a provider that sends any sends a few hundred.
const MOST: usize = 64 * 1024;
/// A status line and what ends a head.
const LEAST: usize = 32;
/// Why a connection ended that sent more.
const TOO_MANY: &str = "informational answers without end";

/// Cuts the connection that `request` goes over once the informational answers to it are larger than 64 KiB.
pub(super) fn limit<B>(request: &mut Request<B>) {
    let connection = capture_connection(request);
    let heard = AtomicUsize::new(0);
    on_informational(request, move |head| {
        let lines = head.headers().iter();
        let size = lines.fold(LEAST, |size, (name, value)| {
            size + name.as_str().len() + value.len() + 4
        });
        if heard.fetch_add(size, Ordering::Relaxed) + size <= MOST {
            return;
        }
        let mut extras = Extensions::new();
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        if let Some(cut) = extras.get::<Cut>() {
            cut.now(TOO_MANY);
        }
    });
}
