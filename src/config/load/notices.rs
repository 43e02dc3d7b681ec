//! `[notify]`.

use std::time::Duration;

use super::values::{WORDS, command_words};
use crate::config::reader::{Item, Table};
use crate::config::settings::{Notify, OscKind};
use crate::domain::agent::{AgentState, NoticePolicy};

/// A day: what waits longer is forgotten by whoever waits.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

pub(super) fn defaults() -> Notify {
    Notify {
        bell: true,
        osc: Some(OscKind::Osc9),
        command: Vec::new(),
        policy: NoticePolicy {
            on: vec![
                AgentState::Waiting,
                AgentState::Done,
                AgentState::Quota,
                AgentState::Failed,
            ],
            dwell: Duration::from_secs(2),
            min_interval: Duration::from_secs(60),
        },
    }
}

pub(super) fn read(table: &mut Table<'_>, notify: &mut Notify) {
    table.read("bell", &mut notify.bell, Item::boolean);
    table.read("osc", &mut notify.osc, |item| {
        item.one_of(&[
            ("9", Some(OscKind::Osc9)),
            ("99", Some(OscKind::Osc99)),
            ("777", Some(OscKind::Osc777)),
            ("off", None),
        ])
    });
    table.read("command", &mut notify.command, |item| {
        if item.elements(WORDS)?.is_empty() {
            Some(Vec::new())
        } else {
            command_words(item, WORDS)
        }
    });
    table.read("on", &mut notify.policy.on, |item| {
        let choices = AgentState::ALL.map(|state| (state.name(), state));
        let items = item.elements("an array of states")?;
        let count = items.len();
        let states: Vec<AgentState> = items
            .iter()
            .filter_map(|item| item.one_of(&choices))
            .collect();
        (states.len() == count).then_some(states)
    });
    table.read("dwell", &mut notify.policy.dwell, |item| {
        item.duration(MAX_WAIT)
    });
    table.read("min_interval", &mut notify.policy.min_interval, |item| {
        item.duration(MAX_WAIT)
    });
}
