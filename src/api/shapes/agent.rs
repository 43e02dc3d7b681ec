//! Agents: what one is doing in a terminal, what that used, and which ones there are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::provider::TokensShape;
use crate::domain::agent::Agent;
use crate::domain::budget::Account;

/// What the agent of a terminal is doing, by which evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentShape {
    pub kind: String,
    pub state: String,
    pub since: Timestamp,
    pub by: String,
    /// When its quota is there again; null where it is not in want of it, or nobody knows.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// What it asks, what was said to it, or that its requests are not observed.
    #[serde(default)]
    pub message: Option<String>,
    /// Whether its requests pass the gateway.
    #[serde(default)]
    pub observed: bool,
}

impl From<&Agent> for AgentShape {
    fn from(agent: &Agent) -> Self {
        Self {
            kind: agent.kind.to_string(),
            state: agent.state.name().to_owned(),
            since: agent.since,
            by: agent.by.name().to_owned(),
            until: agent.until,
            message: agent.message.clone(),
            observed: agent.observed,
        }
    }
}

/// What a terminal's requests have used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpentShape {
    /// Those that came in.
    pub requests: u64,
    pub tokens: TokensShape,
    /// Null where no price of what was used is known.
    pub cost_usd: Option<f64>,
}

impl From<&Account> for SpentShape {
    fn from(account: &Account) -> Self {
        Self {
            requests: account.requests,
            tokens: account.tokens.into(),
            cost_usd: account.cost_usd(),
        }
    }
}

impl Default for SpentShape {
    fn default() -> Self {
        Self::from(&Account::default())
    }
}

/// A terminal's limits, and what counts towards them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BudgetShape {
    pub usd: Option<f64>,
    pub tokens: Option<u64>,
    pub used_usd: f64,
    pub used_tokens: u64,
}

impl BudgetShape {
    /// None where the terminal has no budget.
    #[must_use]
    pub fn of(account: &Account) -> Option<Self> {
        let budget = account.budget;
        (!budget.is_unlimited()).then(|| Self {
            usd: budget.usd(),
            tokens: budget.tokens,
            used_usd: account.used_usd(),
            used_tokens: account.used_tokens(),
        })
    }
}

/// An agent that can be started, as `agents` answers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterShape {
    pub name: String,
    pub command: Vec<String>,
    /// Where its program is; null where it is not installed.
    pub found: Option<String>,
    pub version: Option<String>,
    /// Whether its requests are seen.
    pub observed: bool,
    /// Why they are not, or why it cannot be started.
    pub note: Option<String>,
}
