//! What the terminal that tundra would be shown in can do.

use super::subject::Subject;
use crate::domain::check::Check;
use crate::domain::outer::{self, Depth};

pub(super) const NAMES: [&str; 4] = [
    "terminal.size",
    "terminal.colors",
    "terminal.keyboard",
    "terminal.unicode",
];
/// Every screen of tundra's is usable from there on.
const COMFORTABLE: (u16, u16) = (80, 24);
/// Below it nothing useful can be shown.
const LEAST: (u16, u16) = (20, 5);

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    let Some(terminal) = &subject.terminal else {
        let skip = |name| Check::skip(name, "not called in a terminal");
        return NAMES.map(skip).into();
    };
    let env = |name: &str| std::env::var(name).ok();
    vec![
        size(terminal.cols, terminal.rows),
        colors(&env),
        keyboard(terminal.keyboard),
        unicode(&env),
    ]
}

fn size(cols: u16, rows: u16) -> Check {
    let name = "terminal.size";
    let found = format!("{cols}x{rows}");
    if cols < LEAST.0 || rows < LEAST.1 {
        return Check::fail(
            name,
            found,
            "make the window larger: 20x5 at least, 80x24 is comfortable",
        );
    }
    if cols < COMFORTABLE.0 || rows < COMFORTABLE.1 {
        return Check::warn(name, found, "80x24 shows everything at once");
    }
    Check::ok(name, found)
}

fn colors(env: &impl Fn(&str) -> Option<String>) -> Check {
    let name = "terminal.colors";
    let term = env("TERM").unwrap_or_default();
    if outer::is_without_colour(env) {
        return Check::ok(name, format!("none, as NO_COLOR asks for (TERM={term})"));
    }
    match outer::depth(env) {
        Depth::True => Check::ok(name, format!("24-bit (TERM={term})")),
        Depth::Indexed256 => Check::warn(
            name,
            format!("256 (TERM={term})"),
            "if the terminal can do more: export COLORTERM=truecolor",
        ),
        Depth::Sixteen => Check::warn(
            name,
            format!("16 (TERM={term})"),
            "if the terminal can do more: export TERM=xterm-256color COLORTERM=truecolor",
        ),
        Depth::None => Check::fail(
            name,
            format!("TERM={term:?} cannot be drawn on"),
            "export TERM=xterm-256color, or what your terminal's manual says",
        ),
    }
}

fn keyboard(speaks_kitty: Option<bool>) -> Check {
    let name = "terminal.keyboard";
    match speaks_kitty {
        Some(true) => Check::ok(
            name,
            "kitty's keyboard protocol: every key can be told apart",
        ),
        Some(false) => Check::warn(
            name,
            "without kitty's keyboard protocol Shift+Enter, Ctrl+Tab and the like are not told apart",
            "kitty, ghostty, WezTerm, foot, Alacritty, iTerm2 and Windows Terminal can; in tmux: set -g extended-keys on",
        ),
        None => Check::skip(name, "the terminal was not asked"),
    }
}

fn unicode(env: &impl Fn(&str) -> Option<String>) -> Check {
    let name = "terminal.unicode";
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| Some((name, env(name).filter(|value| !value.is_empty())?)));
    let found = match &locale {
        Some((name, value)) => format!("{name}={value}"),
        None => "no locale is set, which means C".to_owned(),
    };
    if outer::is_utf8(env) {
        return Check::ok(name, found);
    }
    Check::warn(
        name,
        format!("{found}: frames are drawn in ASCII"),
        "export LANG=C.UTF-8, or general.unicode = \"always\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::CheckStatus;

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_terminal_is_judged_by_its_size_and_its_environment() {
        assert_eq!(size(80, 24).status, CheckStatus::Ok);
        assert_eq!(size(79, 24).status, CheckStatus::Warn);
        assert_eq!(size(19, 24).status, CheckStatus::Fail);
        let colors = |pairs: &[(&str, &str)]| colors(&env(pairs)).status;
        assert_eq!(colors(&[("TERM", "xterm-kitty")]), CheckStatus::Ok);
        assert_eq!(colors(&[("TERM", "xterm-256color")]), CheckStatus::Warn);
        assert_eq!(colors(&[("TERM", "dumb")]), CheckStatus::Fail);
        assert_eq!(colors(&[("NO_COLOR", "1")]), CheckStatus::Ok);
        let unicode = |pairs: &[(&str, &str)]| unicode(&env(pairs)).status;
        assert_eq!(unicode(&[("LANG", "de_DE.UTF-8")]), CheckStatus::Ok);
        assert_eq!(
            unicode(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]),
            CheckStatus::Warn
        );
        assert_eq!(unicode(&[]), CheckStatus::Warn);
        assert_eq!(keyboard(Some(true)).status, CheckStatus::Ok);
        assert_eq!(keyboard(None).status, CheckStatus::Skip);
    }
}
