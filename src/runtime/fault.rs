//! Faults that tests bring about in a real binary, as `TUNDRA_FAULT=PLACE` or `PLACE:DETAIL` says. Compiled into debug builds
//! alone.

/// Panics where this very point is named. In a release build it is nothing.
///
/// # Panics
/// Where this very point is named.
#[inline]
pub fn point(place: &str, detail: &str) {
    assert!(!is_at(place, detail), "a fault was asked for at {place}");
}

/// Ends the process as a fault of its memory would, where this very point is named.
#[inline]
pub fn crash(place: &str, detail: &str) {
    if is_at(place, detail) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::SEGV);
    }
}

/// Whether this very point is named.
#[must_use]
pub fn is_at(place: &str, detail: &str) -> bool {
    wanted().is_some_and(|(wanted_place, wanted_detail)| {
        wanted_place == place && (wanted_detail.is_empty() || wanted_detail == detail)
    })
}

/// The detail that a place is named with.
#[must_use]
pub fn detail_of(place: &str) -> Option<&'static str> {
    let (wanted, detail) = wanted()?;
    (wanted == place && !detail.is_empty()).then_some(detail)
}

#[cfg(debug_assertions)]
fn wanted() -> Option<(&'static str, &'static str)> {
    use std::sync::OnceLock;
    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| std::env::var("TUNDRA_FAULT").ok());
    let wanted = wanted.as_deref()?;
    Some(wanted.split_once(':').unwrap_or((wanted, "")))
}

#[cfg(not(debug_assertions))]
const fn wanted() -> Option<(&'static str, &'static str)> {
    None
}
