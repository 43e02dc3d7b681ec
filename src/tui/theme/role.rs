//! What the parts of the screen mean.

/// What a part of the screen means; the theme says how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text of tundra's own.
    Text,
    /// Less important text.
    Muted,
    Heading,
    /// The tab and hint lines.
    Bar,
    BarActive,
    /// A key in the hint line or help.
    Key,
    Border,
    BorderFocused,
    /// The entry that is chosen in a list.
    Selected,
    /// The characters that a query matched.
    Matched,
    Info,
    Success,
    Warning,
    Error,
    StateWorking,
    StateWaiting,
    StateDone,
    StateIdle,
    StateUnknown,
    StateQuota,
    StateFailed,
    /// A pane whose program has ended.
    Dead,
    /// Selected text in copy mode.
    Selection,
    SearchMatch,
    SearchCurrent,
    /// The copy mode indicator.
    Indicator,
    GaugeFilled,
    GaugeEmpty,
    GaugeWarning,
}
