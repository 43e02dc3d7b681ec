//! Text that comes in strings: base64, percent encoding, and what a title may not hold.

use crate::domain::printable::is_disruptive;

/// Decodes base64 with or without padding (RFC 4648); `None` where it is not base64.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace());
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let mut bits = 0u32;
    let mut count = 0;
    let mut padded = false;
    for byte in digits {
        let value = match byte {
            b'=' => {
                padded = true;
                continue;
            }
            _ if padded => return None,
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
            count = 0;
        }
    }
    match count {
        0 => {}
        2 => out.extend_from_slice(&(bits >> 4).to_be_bytes()[3..]),
        3 => out.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => return None,
    }
    Some(out)
}

/// Decodes `%41` and the like; a stray percent sign stays.
pub(super) fn percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if let (b'%', Some(value)) = (*byte, after.get(..2).and_then(hex_byte)) {
            out.push(value);
            rest = &after[2..];
        } else {
            out.push(*byte);
        }
    }
    out
}

/// The byte that two hexadecimal digits stand for.
pub(super) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    (text.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit))
        .then(|| u8::from_str_radix(text, 16).ok())?
}

/// Text fit to be shown in a line of ours: no controls, nothing that turns the direction of writing, not too long.
pub(super) fn clean(text: &[u8], chars: usize) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .filter(|c| !is_disruptive(*c))
        .take(chars)
        .collect()
}
