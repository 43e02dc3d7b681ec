//! One request: when, whose, for which model, and what became of it at each profile.

use std::time::Duration;

use super::numbers::cost;
use crate::domain::caller::Caller;
use crate::domain::usage::{Attempt, AttemptEnd, RequestTries, Try};
use crate::providers::ProvidersStatus;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::view::gauge::{latency, short};
use crate::tui::view::piece::{Piece, Styled, text};
use crate::tui::view::text::width;

/// A wait that is shorter than this is none.
const WAIT_SHOWN: Duration = Duration::from_millis(5);

/// One line for a request that one profile was tried for; else one for the request and one for each try below it.
pub(super) fn entry(
    model: &Model,
    status: &ProvidersStatus,
    request: &RequestTries,
) -> Vec<Styled> {
    let Some(first) = request.tries.first() else {
        return Vec::new();
    };
    let mut head = head(model, status, &first.attempt);
    if let [only] = request.tries.as_slice() {
        head.extend(outcome(status, only));
        return vec![head];
    }
    let names = request
        .tries
        .iter()
        .map(|made| width(made.profile.as_str()));
    let columns = usize::from(names.max().unwrap_or_default());
    let mut lines = vec![head];
    lines.extend(request.tries.iter().map(|made| {
        let name = format!("  {:<columns$} ", made.profile.as_str());
        let mut line = vec![text(&name)];
        line.extend(outcome(status, made));
        line
    }));
    lines
}

/// When, whose, and the model as asked for.
fn head(model: &Model, status: &ProvidersStatus, attempt: &Attempt) -> Styled {
    let at = model.options.time(status.date(attempt.at));
    let who = match attempt.caller {
        Caller::Terminal(id) => model.session.panes.get(&id).map_or_else(
            || id.to_string().chars().take(8).collect(),
            |pane| pane.name().to_owned(),
        ),
        Caller::Outside => "outside".to_owned(),
        Caller::Ask => "ask".to_owned(),
    };
    vec![
        Piece(format!("{at} "), Role::Muted),
        text(&format!("{who} ")),
        Piece(format!("{} ", attempt.model), Role::Muted),
    ]
}

/// Why it was chosen or skipped, what it was sent as, wait, first byte, tokens, cost, and how it ended.
fn outcome(status: &ProvidersStatus, made: &Try) -> Styled {
    let attempt = &made.attempt;
    let (end, role) = match &attempt.end {
        AttemptEnd::Success => ("ok".to_owned(), Role::Success),
        AttemptEnd::Failed { message, .. } => (message.clone(), Role::Error),
        AttemptEnd::Cancelled => ("caller left".to_owned(), Role::Muted),
        AttemptEnd::Skipped(skip) => {
            let reason = match status.profile(&made.profile) {
                Some(profile) => skip.text(profile, attempt.at),
                None => skip.as_str().replace('_', " "),
            };
            (format!("skipped: {reason}"), Role::Muted)
        }
    };
    let mut line = Vec::new();
    if let Some(choice) = attempt.choice {
        line.push(Piece(format!("{} ", choice.as_str()), Role::Muted));
    }
    if attempt.sent_model != attempt.model {
        line.push(Piece(format!("as {} ", attempt.sent_model), Role::Muted));
    }
    if attempt.translated {
        let dialect = attempt.dialect.as_str();
        line.push(text(&format!("translated to {dialect} ")));
    }
    if !attempt.without.is_empty() {
        let without = attempt.without.join(", ");
        line.push(Piece(format!("without {without} "), Role::Warning));
    }
    // What the router itself takes is no wait.
    if attempt.waited >= WAIT_SHOWN {
        line.push(text(&format!("waited {} ", latency(attempt.waited))));
    }
    if let Some(first_byte) = attempt.first_byte {
        line.push(text(&format!("{} ", latency(first_byte))));
    }
    if let Some(tokens) = attempt.tokens {
        let mark = if attempt.estimated { "~" } else { "" };
        line.push(text(&format!(
            "{mark}{}+{} ",
            short(tokens.input + tokens.cache_read + tokens.cache_write),
            short(tokens.output)
        )));
        #[expect(
            clippy::cast_precision_loss,
            reason = "the price of one answer is far below what a double holds"
        )]
        let dollars = attempt.nanodollars.map(|nanos| nanos as f64 / 1e9);
        line.push(Piece(format!("{} ", cost(dollars)), Role::Muted));
    }
    line.push(Piece(end, role));
    line
}
