//! Durations and sizes as people write them.

use std::time::Duration;

const DURATION_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

const SIZE_UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads `500ms`, `2s`, `5m`, `1h30m`, `90d`; a bare `0` is no time at all.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let unit_length = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_length)?;
        let (_, factor) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
        millis = millis.checked_add(number.checked_mul(*factor)?)?;
        rest = next;
    }
    (!text.is_empty()).then(|| Duration::from_millis(millis))
}

/// Reads `10MiB`, `512KiB`, `1GB` or `4096B` as bytes.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let (_, factor) = SIZE_UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))?;
    number.checked_mul(*factor)
}

/// Writes a duration as [`parse_duration`] reads it, in at most two units.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut parts = Vec::new();
    let mut rest = millis;
    for (unit, factor) in DURATION_UNITS.iter().rev() {
        if rest >= *factor && parts.len() < 2 {
            parts.push(format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    if parts.is_empty() {
        parts.push("0s".to_owned());
    }
    parts.concat()
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let seconds = |text| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(seconds("500ms"), Some(500));
        assert_eq!(seconds("0s"), Some(0));
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds("5m"), Some(300_000));
        assert_eq!(seconds("1h30m"), Some(5_400_000));
        for wrong in [
            "",
            "5",
            "s",
            "5 s",
            "-1s",
            "1.5s",
            "5x",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["0s", "500ms", "2s", "1m5s", "1h30m", "1d"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(show_duration(duration), text);
        }
        assert_eq!(show_duration(Duration::from_secs(86_461)), "1d1m");
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(parse_size("10MiB"), Some(10 << 20));
        assert_eq!(parse_size("64 kib"), Some(64 << 10));
        assert_eq!(parse_size("1GB"), Some(1_000_000_000));
        for wrong in ["", "10", "MiB", "10 elephants", "99999999999GiB"] {
            assert_eq!(parse_size(wrong), None, "{wrong:?}");
        }
    }
}
