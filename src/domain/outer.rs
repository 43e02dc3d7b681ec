//! What the environment tells about the terminal that tundra is shown in, variable by variable as `env` gives them.

/// How many colours the outer terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    None,
    Sixteen,
    Indexed256,
    True,
}

/// Whether the user wants no colours added; an empty value does not count (<https://no-color.org>).
#[must_use]
pub fn is_without_colour(env: &impl Fn(&str) -> Option<String>) -> bool {
    env("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// What the terminal can show.
#[must_use]
pub fn depth(env: &impl Fn(&str) -> Option<String>) -> Depth {
    let term = env("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" || term.starts_with("vt") {
        return Depth::None;
    }
    if term == "linux" {
        return Depth::Sixteen;
    }
    let colour_term = env("COLORTERM").unwrap_or_default();
    let has_true_colour = [
        "kitty",
        "alacritty",
        "ghostty",
        "wezterm",
        "foot",
        "-direct",
    ];
    if matches!(colour_term.as_str(), "truecolor" | "24bit")
        || has_true_colour.iter().any(|name| term.contains(name))
    {
        Depth::True
    } else if term.contains("256color") {
        Depth::Indexed256
    } else {
        Depth::Sixteen
    }
}

/// Whether the locale's character set is UTF-8; unset means C, which is not.
#[must_use]
pub fn is_utf8(env: &impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(env)
        .find(|value| !value.is_empty())
        .unwrap_or_default()
        .to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
