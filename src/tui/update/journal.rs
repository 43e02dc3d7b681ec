//! The view of the journal: its keys, what is read for it, and when it is read again.

use super::scroll::{self, Growth};
use crate::domain::action::{Action, Context};
use crate::domain::chord::Chord;
use crate::domain::fact::Kind;
use crate::store::{Grouping, StoreStatus};
use crate::tui::client::{JournalContents, JournalPage, JournalView, Overlay, READ_AGAIN, Reading};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::now::Now;
use crate::tui::view;

/// Opens the view on a page.
pub(super) fn open(model: &mut Model, page: JournalPage, effects: &mut Vec<Effect>) {
    let mut view = JournalView::new(page);
    effects.push(Effect::ReadJournal(view.ask()));
    model.client.overlay = Some(Overlay::Journal(view));
}

/// Takes in what was read, unless something else was asked since.
pub(super) fn read(
    model: &mut Model,
    number: u64,
    status: StoreStatus,
    contents: Result<JournalContents, String>,
    now: Now,
) {
    model.store = Some(status);
    let Some(Overlay::Journal(view)) = &mut model.client.overlay else {
        return;
    };
    if view.asked != number {
        return;
    }
    view.contents = Some(contents);
    view.read_at = now.wall;
    view.reading = match view.reading {
        Reading::UnderWay { is_stale: true } => Reading::Due(now.instant + READ_AGAIN),
        Reading::UnderWay { is_stale: false } | Reading::Done(_) | Reading::Due(_) => {
            Reading::Done(now.instant)
        }
    };
}

/// Something was written: what is shown is read again, but not all the time.
pub(super) fn written(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    let Some(Overlay::Journal(view)) = &mut model.client.overlay else {
        return;
    };
    match view.reading {
        Reading::UnderWay { .. } => view.reading = Reading::UnderWay { is_stale: true },
        Reading::Done(at) if at + READ_AGAIN <= now.instant => {
            effects.push(Effect::ReadJournal(view.ask()));
        }
        Reading::Done(at) => view.reading = Reading::Due(at + READ_AGAIN),
        Reading::Due(_) => {}
    }
}

/// Reads again what is due.
pub(super) fn tick(model: &mut Model, now: Now, effects: &mut Vec<Effect>) {
    if let Some(Overlay::Journal(view)) = &mut model.client.overlay
        && view.due().is_some_and(|due| due <= now.instant)
    {
        effects.push(Effect::ReadJournal(view.ask()));
    }
}

/// A key while the view is open.
pub(super) fn key(model: &mut Model, chord: Chord, effects: &mut Vec<Effect>) {
    let Some(action) = model.options.keymap.lookup(Context::Journal, chord) else {
        return;
    };
    perform(model, action, effects);
}

/// The wheel over the view.
pub(super) fn wheel(model: &mut Model, down: bool, effects: &mut Vec<Effect>) {
    let action = if down {
        Action::JournalNext
    } else {
        Action::JournalPrevious
    };
    perform(model, action, effects);
}

fn perform(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    let limit = view::overlay_scroll_limit(model);
    let Some(Overlay::Journal(view)) = &mut model.client.overlay else {
        return;
    };
    match action {
        Action::JournalBack => {
            model.client.overlay = None;
            return;
        }
        Action::JournalSince => view.span = view.span.next(),
        Action::JournalBy => {
            if view.page == JournalPage::History {
                return;
            }
            view.by = next_of(&Grouping::ALL, view.by).unwrap_or_default();
        }
        Action::JournalKind => {
            if view.page == JournalPage::Usage {
                return;
            }
            // All kinds come before the first family.
            view.family = match view.family {
                None => Kind::FAMILIES.first().copied(),
                Some(family) => next_of(&Kind::FAMILIES, family),
            };
        }
        Action::JournalSwitch => {
            view.page = match view.page {
                JournalPage::Usage => JournalPage::History,
                JournalPage::History => JournalPage::Usage,
            };
            view.contents = None;
        }
        scrolls => {
            let growth = match view.page {
                JournalPage::Usage => Growth::Down,
                JournalPage::History => Growth::Up,
            };
            scroll::scroll_journal(&mut view.scroll, scrolls, growth, limit);
            return;
        }
    }
    view.scroll = 0;
    effects.push(Effect::ReadJournal(view.ask()));
}

/// The one after; None after the last.
fn next_of<T: Copy + PartialEq>(all: &[T], current: T) -> Option<T> {
    let at = all.iter().position(|one| *one == current)?;
    all.get(at + 1).copied()
}
