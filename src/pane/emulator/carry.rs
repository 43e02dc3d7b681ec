//! Takes an emulator apart for the next program, and puts it together there.

use super::history::History;
use super::kept::{KeptBeyond, KeptEmulator, KeptJoins};
use super::palette::Palette;
use super::restore;
use super::terminal::Terminal;
use crate::domain::size::Size;
use crate::runtime::handover::Outgoing;

/// All of a terminal's state but the version and the limit, which are the emulator's.
pub(super) fn keep(terminal: &mut Terminal, out: &mut Outgoing) -> KeptEmulator {
    let keyframe = restore::terminal_state(terminal, 0);
    let size = terminal.screen().size();
    let beyond = beyond(terminal);
    let history = terminal.screen_mut().page_mut().history.keep(out);
    KeptEmulator {
        cols: size.cols(),
        rows: size.rows(),
        keyframe: out.bytes(&keyframe),
        history,
        beyond,
        ..KeptEmulator::default()
    }
}

fn beyond(terminal: &mut Terminal) -> KeptBeyond {
    let state = terminal.state_mut();
    let alternate = state.screen.is_alternate();
    let (lost_cursor, rewraps) = (state.screen.lost_cursor(), state.screen.rewraps().count());
    let last = state.screen.last_printed().to_owned();
    let page = state.screen.page_mut();
    let shown = page.grid.joins();
    let other = page.grid.on_other_screen(|grid| grid.joins());
    let lent_rows = page.lent_rows();
    KeptBeyond {
        joins: if alternate {
            [other, shown]
        } else {
            [shown, other]
        },
        rewraps,
        lost_cursor,
        lent_rows,
        last,
        columns_changed: state.modes.columns_changed,
        saved_modes: state.saved_modes.clone(),
        colors: state.palette.keep(),
        notification: state.notification.clone(),
    }
}

/// Gives a terminal that a keyframe was fed to what no keyframe tells, and its history.
pub(super) fn resume(terminal: &mut Terminal, kept: &KeptBeyond, history: History) {
    let state = terminal.state_mut();
    let alternate = state.screen.is_alternate();
    let [primary, hidden] = &kept.joins;
    let (shown, other): (&KeptJoins, &KeptJoins) = if alternate {
        (hidden, primary)
    } else {
        (primary, hidden)
    };
    let page = state.screen.page_mut();
    page.history = history;
    page.grid.set_joins(shown);
    page.grid.on_other_screen(|grid| grid.set_joins(other));
    page.set_lent_rows(kept.lent_rows);
    let screen = &mut state.screen;
    screen.resume_rewraps(kept.rewraps);
    screen.set_lost_cursor(kept.lost_cursor);
    screen.set_last_printed(&kept.last);
    state.modes.columns_changed = kept.columns_changed;
    state.saved_modes.clone_from(&kept.saved_modes);
    state.palette = Palette::resume(&kept.colors);
    state.notification.clone_from(&kept.notification);
}

/// The size that was kept; None where nothing was.
pub(super) fn size_of(kept: &KeptEmulator) -> Option<Size> {
    (kept.cols > 0 && kept.rows > 0).then(|| Size::clamped(kept.cols, kept.rows))
}
