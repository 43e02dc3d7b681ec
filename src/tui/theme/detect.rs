//! What the environment tells about the outer terminal.

/// The Linux console's fonts lack most of what tundra draws with.
pub(super) fn has_box_glyphs(env: &impl Fn(&str) -> Option<String>) -> bool {
    env("TERM").as_deref() != Some("linux")
}

/// Whether `COLORFGBG` (foreground;background, set by rxvt, konsole and others) names a light background.
pub(super) fn is_light(env: &impl Fn(&str) -> Option<String>) -> bool {
    let value = env("COLORFGBG").unwrap_or_default();
    let background = value.rsplit(';').next().and_then(|n| n.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}
