//! Scrolling what is longer than its box.

use crate::domain::action::Action;

/// Entries that a page key moves by: about what a list shows at once.
pub(super) const PAGE: usize = 10;

/// Which way a count of scrolled lines grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Growth {
    Up,
    Down,
}

/// Scrolls what the journal's keys are bound for.
pub(super) fn scroll_journal(at: &mut usize, does: Action, growth: Growth, limit: usize) {
    let does = match does {
        Action::JournalNext => Action::DialogNext,
        Action::JournalPrevious => Action::DialogPrevious,
        Action::JournalPageDown => Action::DialogPageDown,
        Action::JournalPageUp => Action::DialogPageUp,
        Action::JournalFirst => Action::DialogFirst,
        Action::JournalLast => Action::DialogLast,
        _ => return,
    };
    scroll(at, does, growth, limit);
}

pub(super) fn scroll(at: &mut usize, does: Action, growth: Growth, limit: usize) {
    let (step, way) = match does {
        Action::DialogNext => (1, Growth::Down),
        Action::DialogPrevious => (1, Growth::Up),
        Action::DialogPageDown => (PAGE, Growth::Down),
        Action::DialogPageUp => (PAGE, Growth::Up),
        Action::DialogFirst => (usize::MAX, Growth::Up),
        Action::DialogLast => (usize::MAX, Growth::Down),
        _ => return,
    };
    *at = if way == growth {
        at.saturating_add(step).min(limit)
    } else {
        at.saturating_sub(step)
    };
}
