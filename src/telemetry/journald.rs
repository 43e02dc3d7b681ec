//! Lines for systemd's journal, in its own protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL>).
//!
//! Each line is one datagram that is sent without waiting: what the journal does not take, or is not there to take, is
//! lost. It is written by hand since the crate for it knows one socket alone, and gives up where that is not there yet.

use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::domain::printable::printable;

const SOCKET: &str = "/run/systemd/journal/socket";
/// Names another socket, such as that of a receiver in a test.
const SOCKET_VARIABLE: &str = "TUNDRA_JOURNAL_SOCKET";
const IDENTIFIER: &str = "tundra";
/// The longest field; a datagram takes some 200 KiB.
const MAX_FIELD: usize = 16 << 10;

/// Sends lines to the journal while it is wanted.
#[derive(Debug)]
pub(super) struct Journald {
    socket: UnixDatagram,
    path: PathBuf,
    is_wanted: Arc<AtomicBool>,
}

impl Journald {
    /// Opens a socket to send from; the journal itself need not be there.
    ///
    /// # Errors
    /// [`io::Error`] where no socket is to be had at all.
    pub(super) fn new(is_wanted: Arc<AtomicBool>) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let named = std::env::var_os(SOCKET_VARIABLE).filter(|path| !path.is_empty());
        Ok(Self {
            socket,
            path: named.map_or_else(|| SOCKET.into(), PathBuf::from),
            is_wanted,
        })
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if !self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut datagram = Vec::with_capacity(512);
        let message = format!("{}{}", fields.message, fields.others);
        put(&mut datagram, "MESSAGE", &printable(&message));
        put(&mut datagram, "PRIORITY", priority(*metadata.level()));
        put(&mut datagram, "SYSLOG_IDENTIFIER", IDENTIFIER);
        put(&mut datagram, "TARGET", metadata.target());
        if let Some(file) = metadata.file() {
            put(&mut datagram, "CODE_FILE", file);
        }
        if let Some(line) = metadata.line() {
            put(&mut datagram, "CODE_LINE", &line.to_string());
        }
        for (name, value) in &fields.each {
            put(&mut datagram, name, value);
        }
        // It is full, or not there: the line is lost.
        let _ = self.socket.send_to(&datagram, &self.path);
    }
}

/// As syslog has them: the journal's own.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

/// A field whose value may hold anything: its length goes before it where it holds line ends.
fn put(datagram: &mut Vec<u8>, name: &str, value: &str) {
    let mut end = value.len().min(MAX_FIELD);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    let value = value.get(..end).unwrap_or_default();
    datagram.extend(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend((value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend(value.as_bytes());
    datagram.push(b'\n');
}

#[derive(Default)]
struct Fields {
    message: String,
    /// As they stand behind the message in text.
    others: String,
    /// Under names that the journal takes, such as `F_PROFILE`.
    each: Vec<(String, String)>,
}

impl Fields {
    fn add(&mut self, field: &Field, told: &str, value: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.others, " {}={told}", field.name());
        let name = field.name().bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => byte.to_ascii_uppercase() as char,
            _ => '_',
        });
        self.each
            .push((format!("F_{}", name.collect::<String>()), value.to_owned()));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.add(field, &format!("{value:?}"), value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let told = format!("{value:?}");
        if field.name() == "message" {
            self.message = told;
        } else {
            self.add(field, &told, &told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_with_line_ends_has_its_length_before_it() {
        let mut datagram = Vec::new();
        put(&mut datagram, "MESSAGE", "one");
        put(&mut datagram, "F_TEXT", "a\nb");
        let mut expected = b"MESSAGE=one\nF_TEXT\n".to_vec();
        expected.extend(3_u64.to_le_bytes());
        expected.extend(b"a\nb\n");
        assert_eq!(datagram, expected);
    }

    #[test]
    fn a_field_that_is_too_long_is_cut_between_two_characters() {
        let mut datagram = Vec::new();
        put(&mut datagram, "M", &"ü".repeat(MAX_FIELD));
        assert_eq!(datagram.len(), "M=\n".len() + MAX_FIELD);
        assert!(std::str::from_utf8(&datagram).is_ok());
    }
}
