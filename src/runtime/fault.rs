//! Faults that tests bring about in a real binary. Compiled into debug builds alone.

/// Panics where `TUNDRA_FAULT` names this very point, as `PLACE` or `PLACE:DETAIL`. In a release build it is nothing.
#[inline]
pub fn point(place: &str, detail: &str) {
    #[cfg(debug_assertions)]
    strike(place, detail);
    #[cfg(not(debug_assertions))]
    let _ = (place, detail);
}

#[cfg(debug_assertions)]
fn strike(place: &str, detail: &str) {
    use std::sync::OnceLock;
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| std::env::var("TUNDRA_FAULT").ok());
    let Some(wanted) = wanted else { return };
    let (wanted_place, wanted_detail) = wanted.split_once(':').unwrap_or((wanted, ""));
    let here = wanted_place == place && (wanted_detail.is_empty() || wanted_detail == detail);
    assert!(!here, "a fault was asked for at {place}");
}
