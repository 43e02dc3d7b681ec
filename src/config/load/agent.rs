//! `[[agent]]`, and the keys that `[[pane]]` has in common with it.

use super::values::{command_line, environment};
use crate::config::reader::{Item, Table};
use crate::domain::adapter::{Adapter, Adapters, AgentName};
use crate::domain::budget::{self, Budget};

/// Reads the agents of the file over those that are built in. A key that an agent leaves out is that of the built-in one of
/// its name, if there is one.
pub(super) fn read_all(item: &Item<'_>, shell: &[String], built_in: &Adapters) -> Adapters {
    let items = item.elements("an array of tables: write [[agent]]");
    let mut named: Vec<AgentName> = Vec::new();
    let mut rows: Vec<Adapter> = built_in.iter().cloned().collect();
    for item in items.into_iter().flatten() {
        let Some(mut table) = item.table() else {
            continue;
        };
        let name = name(&item, &mut table, &named);
        let known = name.as_ref().and_then(|name| built_in.get(name).ok());
        let mut row = match (&name, known) {
            (_, Some(known)) => known.clone(),
            (Some(name), None) => Adapter::new(name.clone()),
            // Read on for its other faults.
            (None, None) => Adapter::new("".into()),
        };
        read(&mut table, &mut row, shell);
        table.refuse_unknown();
        if let Some(name) = name {
            named.push(name);
            rows.push(row);
        }
    }
    Adapters::new(rows)
}

fn name(agent: &Item<'_>, table: &mut Table<'_>, named: &[AgentName]) -> Option<AgentName> {
    let Some(item) = table.item("name") else {
        return agent.missing("name", "must be given");
    };
    let name = item.string()?;
    if name.trim().is_empty() || name.trim() != name || name.chars().any(char::is_control) {
        return item.fault("must be a name that can be seen");
    }
    match named.iter().position(|other| other.as_str() == name) {
        Some(taken) => item.fault(format!("must differ from the name of agent[{taken}]")),
        None => Some(name.into()),
    }
}

fn read(table: &mut Table<'_>, row: &mut Adapter, shell: &[String]) {
    table.read("command", &mut row.command, |item| {
        command_line(item, shell)
    });
    table.read("args", &mut row.args, arguments);
    table.read("resume_args", &mut row.resume_args, |item| {
        let words = words(item)?;
        let names_key = |word: &String| word.contains("{gateway}") || word.contains("{key}");
        if words.iter().any(names_key) {
            return item.fault("must not hold {gateway} or {key}: args and env do");
        }
        Some(words)
    });
    table.read("env", &mut row.env, |item| {
        Some(environment(item)?.into_iter().collect())
    });
    read_budget(table, &mut row.budget);
    table.read("gateway", &mut row.gateway, Item::boolean);
    table.read("confine", &mut row.confine, |item| item.boolean().map(Some));
}

/// `budget_usd` and `budget_tokens`.
pub(super) fn read_budget(table: &mut Table<'_>, budget: &mut Budget) {
    table.read(
        "budget_usd",
        &mut budget.nanodollars,
        |item| match budget::nanodollars(item.number()?) {
            Some(nanodollars) => Some(Some(nanodollars)),
            None => item.fault("must be above 0"),
        },
    );
    table.read("budget_tokens", &mut budget.tokens, |item| {
        item.integer(1..=i64::MAX).map(Some)
    });
}

fn arguments(item: &Item<'_>) -> Option<Vec<String>> {
    let words = words(item)?;
    if words.iter().any(|word| word.contains("{key}")) {
        return item.fault("must not hold {key}, since everybody can read arguments: use env");
    }
    Some(words)
}

fn words(item: &Item<'_>) -> Option<Vec<String>> {
    let items = item.elements("an array of strings")?;
    let count = items.len();
    let words = items.iter().filter_map(|item| match item.string()? {
        word if word.contains('\0') => item.fault("must not hold a NUL"),
        word => Some(word.to_owned()),
    });
    let words: Vec<String> = words.collect();
    (words.len() == count).then_some(words)
}
