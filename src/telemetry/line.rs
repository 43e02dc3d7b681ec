//! One event, one line: what a caller, a provider, a file or a title put into a field is escaped here, for every field.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::config::LogFormat;
use crate::domain::printable::{is_disruptive, printable};

/// Passes events on to a writer, each as one printable line. It is given whole events.
pub(super) struct Lines<W> {
    inner: W,
    format: LogFormat,
}

impl<W: Write> Lines<W> {
    pub fn new(inner: W, format: LogFormat) -> Self {
        Self { inner, format }
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = match self.format {
            LogFormat::Text => printable(line),
            LogFormat::Json => json(line),
        };
        let mut whole = line.into_owned();
        whole.push('\n');
        self.inner.write_all(whole.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// JSON escapes C0 by itself; the rest is escaped as it would have done it.
fn json(line: &str) -> Cow<'_, str> {
    if !line.contains(is_disruptive) {
        return Cow::Borrowed(line);
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_disruptive(c) {
            // All of them lie in the basic plane.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(event: &str, format: LogFormat) -> String {
        let mut out = Vec::new();
        Lines::new(&mut out, format)
            .write_all(event.as_bytes())
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whatever_its_fields_hold() {
        let event = "INFO call model=x\x1b]0;owned\x07\nINFO forged line\u{9b}\n";
        assert_eq!(
            written(event, LogFormat::Text),
            "INFO call model=x\\u{1b}]0;owned\\u{7}\\nINFO forged line\\u{9b}\n"
        );
        assert_eq!(
            written("{\"model\":\"\u{9b}\u{202e}\"}\n", LogFormat::Json),
            "{\"model\":\"\\u009b\\u202e\"}\n"
        );
        assert_eq!(written("plain\n", LogFormat::Text), "plain\n");
    }
}
