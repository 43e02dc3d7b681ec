//! What each error means, what it comes from and what helps: one table, by which the command, the front end, the page and the
//! README explain what tundra says.
//!
//! The table is data, a file for each group. A test walks the texts of every error enum and fails where one is not in it.

mod attach;
mod configuration;
mod entry;
mod find;
mod gateway;
mod instance;
mod provider;
mod store;
mod system;
mod terminal;

pub use entry::{Explanation, Group, Severity};
pub use find::{Found, by_code, by_name, by_text, find};

/// The whole table, by group.
pub fn index() -> impl Iterator<Item = &'static Explanation> {
    [
        provider::TABLE,
        gateway::TABLE,
        terminal::TABLE,
        attach::TABLE,
        store::TABLE,
        configuration::TABLE,
        instance::TABLE,
        system::TABLE,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
