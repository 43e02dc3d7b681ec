//! The characters tundra draws with, each one column wide.

use crate::domain::agent::AgentState;

/// A set of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pub horizontal: &'static str,
    pub vertical: &'static str,
    pub top_left: &'static str,
    pub top_right: &'static str,
    pub bottom_left: &'static str,
    pub bottom_right: &'static str,
    pub working: &'static str,
    pub waiting: &'static str,
    pub done: &'static str,
    pub idle: &'static str,
    pub unknown: &'static str,
    pub quota: &'static str,
    pub failed: &'static str,
    pub dead: &'static str,
    pub bell: &'static str,
    pub zoomed: &'static str,
    pub viewers: &'static str,
    /// Around a screen that is smaller than its pane.
    pub nothing: &'static str,
    pub selected: &'static str,
    pub separator: &'static str,
    pub ellipsis: &'static str,
    pub gauge_filled: &'static str,
    pub gauge_empty: &'static str,
    /// Eight heights, the lowest first.
    pub spark: [&'static str; 8],
    pub arrow_left: &'static str,
    pub arrow_right: &'static str,
    pub arrow_up: &'static str,
    pub arrow_down: &'static str,
    /// By the arms of a joint as bits: up 1, down 2, left 4, right 8.
    joints: [&'static str; 16],
}

impl Glyphs {
    /// The box character whose line goes on towards the given neighbours.
    #[must_use]
    #[expect(
        clippy::fn_params_excessive_bools,
        reason = "they are the arms of one cell"
    )]
    pub fn joint(&self, up: bool, down: bool, left: bool, right: bool) -> &'static str {
        let arms = usize::from(up)
            | usize::from(down) << 1
            | usize::from(left) << 2
            | usize::from(right) << 3;
        self.joints.get(arms).copied().unwrap_or(self.vertical)
    }

    #[must_use]
    pub const fn state(&self, state: AgentState) -> &'static str {
        match state {
            AgentState::Unknown => self.unknown,
            AgentState::Working => self.working,
            AgentState::Waiting => self.waiting,
            AgentState::Done => self.done,
            AgentState::Idle => self.idle,
            AgentState::Quota => self.quota,
            AgentState::Failed => self.failed,
        }
    }
}

pub(super) const UNICODE: Glyphs = Glyphs {
    horizontal: "─",
    vertical: "│",
    top_left: "╭",
    top_right: "╮",
    bottom_left: "╰",
    bottom_right: "╯",
    working: "●",
    waiting: "▲",
    done: "✓",
    idle: "○",
    unknown: "·",
    quota: "◔",
    failed: "◆",
    dead: "✗",
    bell: "♪",
    zoomed: "▣",
    viewers: "◉",
    nothing: "·",
    selected: "▸",
    separator: "│",
    ellipsis: "…",
    gauge_filled: "█",
    gauge_empty: "░",
    spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    arrow_left: "←",
    arrow_right: "→",
    arrow_up: "↑",
    arrow_down: "↓",
    joints: [
        " ", "╵", "╷", "│", "╴", "┘", "┐", "┤", "╶", "└", "┌", "├", "─", "┴", "┬", "┼",
    ],
};

pub(super) const ASCII: Glyphs = Glyphs {
    horizontal: "-",
    vertical: "|",
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    working: "*",
    waiting: "!",
    done: "+",
    idle: "-",
    unknown: ".",
    quota: "%",
    failed: "E",
    dead: "x",
    bell: "B",
    zoomed: "Z",
    viewers: "@",
    nothing: ".",
    selected: ">",
    separator: "|",
    ellipsis: "~",
    gauge_filled: "#",
    gauge_empty: ".",
    spark: [".", ".", ":", ":", "+", "+", "#", "#"],
    arrow_left: "<",
    arrow_right: ">",
    arrow_up: "^",
    arrow_down: "v",
    joints: [
        " ", "|", "|", "|", "-", "+", "+", "+", "-", "+", "+", "+", "-", "+", "+", "+",
    ],
};

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn every_glyph_is_one_column_wide() {
        for set in [UNICODE, ASCII] {
            let states = AgentState::ALL.map(|state| set.state(state));
            let others = [
                set.horizontal,
                set.vertical,
                set.top_left,
                set.top_right,
                set.bottom_left,
                set.bottom_right,
                set.dead,
                set.bell,
                set.zoomed,
                set.viewers,
                set.nothing,
                set.selected,
                set.separator,
                set.ellipsis,
                set.gauge_filled,
                set.gauge_empty,
                set.arrow_left,
                set.arrow_right,
                set.arrow_up,
                set.arrow_down,
            ];
            for glyph in states
                .into_iter()
                .chain(others)
                .chain(set.joints)
                .chain(set.spark)
            {
                assert_eq!(glyph.width(), 1, "{glyph}");
            }
        }
    }

    #[test]
    fn joints_have_the_arms_asked_for() {
        assert_eq!(UNICODE.joint(true, true, false, false), "│");
        assert_eq!(UNICODE.joint(false, false, true, true), "─");
        assert_eq!(UNICODE.joint(true, true, true, true), "┼");
        assert_eq!(UNICODE.joint(true, true, false, true), "├");
        assert_eq!(UNICODE.joint(false, true, true, true), "┬");
        assert_eq!(ASCII.joint(true, true, true, false), "+");
        assert_eq!(ASCII.joint(true, true, false, false), "|");
    }
}
