//! Writing of server-sent events (html.spec.whatwg.org, 9.2), and what one is that came.

use serde::Serialize;

/// What kind an event is: as its data says, else as it is named.
pub fn kind<'a>(told: &'a str, name: &'a [u8]) -> &'a str {
    if told.is_empty() {
        std::str::from_utf8(name).unwrap_or_default()
    } else {
        told
    }
}

/// Appends an event with a name.
pub fn frame(name: &str, data: &impl Serialize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.push(b'\n');
    self::data(data, out);
}

/// Appends an event without a name.
pub fn data(data: &impl Serialize, out: &mut Vec<u8>) {
    let begin = out.len();
    out.extend_from_slice(b"data: ");
    // Maps with keys that are strings are all that is written, which cannot fail.
    if serde_json::to_writer(&mut *out, data).is_err() {
        out.truncate(begin);
        return;
    }
    out.extend_from_slice(b"\n\n");
}
