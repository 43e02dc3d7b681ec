//! Pages to read: the explanation of the last error, and the doctor's findings.

use crate::domain::check::Check;
use crate::domain::explain::by_text;
use crate::tui::checkup::OuterFacts;
use crate::tui::client::{About, Overlay, Report};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::notice::Severity;
use crate::tui::now::Now;

/// Explains the newest message that tells of something wrong; one that is known goes before one that is not.
pub(super) fn explain(model: &mut Model, now: Now) {
    let troubles = || {
        let log = model.session.messages.log().iter().rev();
        log.filter(|message| message.severity >= Severity::Warning)
    };
    let known = troubles().find(|message| by_text(&message.text).is_some());
    let told = known.or_else(|| troubles().next());
    let told = told.map(|message| message.text.clone());
    let messages = &mut model.session.messages;
    match told {
        Some(told) => {
            messages.dismiss();
            model.client.overlay = Some(Overlay::Report(Report::of_error(told)));
        }
        None => messages.tell(Severity::Info, "explain: nothing went wrong yet", now),
    }
}

/// Begins to look at everything.
pub(super) fn examine(model: &mut Model, effects: &mut Vec<Effect>) {
    model.client.overlay = Some(Overlay::Report(Report::of_checkup(None)));
    let (cols, rows) = model.client.size;
    effects.push(Effect::Examine(OuterFacts {
        cols,
        rows,
        keyboard: model.client.keyboard,
    }));
}

/// Shows what was found, if it is still waited for.
pub(super) fn examined(model: &mut Model, checks: Vec<Check>) {
    if let Some(Overlay::Report(report)) = &mut model.client.overlay
        && report.about == About::Checkup(None)
    {
        *report = Report::of_checkup(Some(checks));
    }
}
