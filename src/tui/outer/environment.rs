//! What the environment tells of a terminal.

use std::collections::BTreeMap;

/// The variables by which programs find out what a terminal can show.
const NAMES: [&str; 7] = [
    "TERM",
    "COLORTERM",
    "COLORFGBG",
    "NO_COLOR",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
];

/// The variables of whoever's terminal it is, which need not be this process's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Takes what matters of all variables.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let known = |name: &&str| Some(((*name).to_owned(), variable(name)?));
        Self(NAMES.iter().filter_map(known).collect())
    }

    /// This process's.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// Of the variables that a terminal's lender told.
    #[must_use]
    pub fn told(variables: &[(String, String)]) -> Self {
        Self::of(|name| {
            let told = variables.iter().find(|(told, _)| told == name);
            told.map(|(_, value)| value.clone())
        })
    }

    /// Every variable that matters and is set.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.0.clone().into_iter().collect()
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
