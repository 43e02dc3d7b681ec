//! What a terminal's requests have used, and how much they may.
//!
//! Money is in nanodollars. A budget holds for one terminal, whatever agent runs in it; it counts from the terminal's start.
//! Plain values, so that they can be kept and taken up again.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use super::id::TerminalId;
use super::usage::{Cost, Tokens};

const NANODOLLARS: u64 = 1_000_000_000;
/// The share of a budget from which on its pane warns.
const WARNS_AT: f64 = 0.8;

/// How much a terminal may use; None for as much as it likes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pub nanodollars: Option<u64>,
    /// Input and output, without what came from a cache.
    pub tokens: Option<u64>,
}

impl Budget {
    #[must_use]
    pub const fn is_unlimited(&self) -> bool {
        self.nanodollars.is_none() && self.tokens.is_none()
    }

    /// Its own limits, and those of `other` where it has none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            nanodollars: self.nanodollars.or(other.nanodollars),
            tokens: self.tokens.or(other.tokens),
        }
    }

    /// US dollars.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        self.nanodollars.map(dollars)
    }
}

/// Nanodollars of a sum in US dollars; None where it is no sum above nothing.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is above zero, and a cast saturates"
)]
pub fn nanodollars(usd: f64) -> Option<u64> {
    let nanos = (usd * 1e9).round();
    (usd.is_finite() && nanos >= 1.0).then_some(nanos as u64)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a sum of money past 9 million dollars may lose a nanodollar"
)]
fn dollars(nanodollars: u64) -> f64 {
    nanodollars as f64 / 1e9
}

/// What a terminal's requests came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Those that came in.
    pub requests: u64,
    pub tokens: Tokens,
    pub cost: Cost,
    /// Attempts whose tokens were counted.
    pub counted: u64,
    pub budget: Budget,
}

impl Account {
    /// Adds what an attempt used. `nanodollars` is None where its price is not known.
    pub fn add(&mut self, tokens: Tokens, nanodollars: Option<u64>) {
        self.tokens.add(tokens);
        self.counted += 1;
        match nanodollars {
            Some(money) => self.cost.nanodollars = self.cost.nanodollars.saturating_add(money),
            None => self.cost.unknown += 1,
        }
    }

    /// US dollars, as far as prices are known; None where no price of what was used is.
    #[must_use]
    pub fn cost_usd(&self) -> Option<f64> {
        let nothing_known = self.cost.unknown > 0 && self.cost.unknown >= self.counted;
        (!nothing_known).then(|| dollars(self.cost.nanodollars))
    }

    /// US dollars that count towards the budget: what is known.
    #[must_use]
    pub fn used_usd(&self) -> f64 {
        dollars(self.cost.nanodollars)
    }

    /// Tokens that count towards the budget.
    #[must_use]
    pub const fn used_tokens(&self) -> u64 {
        self.tokens.input.saturating_add(self.tokens.output)
    }

    /// The limit that has been reached, the one in dollars before the one in tokens.
    #[must_use]
    pub fn reached(&self) -> Option<Reached> {
        let money = self.budget.nanodollars;
        let money = money.filter(|limit| self.cost.nanodollars >= *limit);
        let tokens = self.budget.tokens;
        let tokens = tokens.filter(|limit| self.used_tokens() >= *limit);
        match (money, tokens) {
            (Some(limit), _) => Some(Reached::Money {
                used: self.cost.nanodollars,
                limit,
            }),
            (None, Some(limit)) => Some(Reached::Tokens {
                used: self.used_tokens(),
                limit,
            }),
            (None, None) => None,
        }
    }

    /// The larger share of its limits that is used; 0 without a budget.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    pub fn share(&self) -> f64 {
        let share = |used: u64, limit: Option<u64>| {
            limit.map_or(0.0, |limit| used as f64 / limit.max(1) as f64)
        };
        let money = share(self.cost.nanodollars, self.budget.nanodollars);
        money.max(share(self.used_tokens(), self.budget.tokens))
    }

    /// Whether so much is used that its user should know.
    #[must_use]
    pub fn is_near_end(&self) -> bool {
        self.share() >= WARNS_AT
    }
}

/// How many terminals that are over are remembered.
const REMEMBERED: usize = 10_000;

/// The accounts of all terminals, those that are over for a while too.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    living: HashMap<TerminalId, Account>,
    over: HashMap<TerminalId, Account>,
    /// The terminals that are over, the oldest first.
    order: VecDeque<TerminalId>,
}

impl Accounts {
    /// Begins an account.
    pub fn open(&mut self, terminal: TerminalId, budget: Budget) {
        let account = Account {
            budget,
            ..Account::default()
        };
        self.living.insert(terminal, account);
    }

    /// Goes on with an account that another program has kept.
    pub fn resume(&mut self, terminal: TerminalId, account: Account) {
        self.living.insert(terminal, account);
    }

    /// The terminal is over. What it used stays known until many others are over too.
    pub fn close(&mut self, terminal: TerminalId) {
        let Some(account) = self.living.remove(&terminal) else {
            return;
        };
        self.over.insert(terminal, account);
        self.order.push_back(terminal);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.over.remove(&oldest);
        }
    }

    /// Counts a request that came in, and tells the limit that is reached.
    pub fn came_in(&mut self, terminal: TerminalId) -> Option<Reached> {
        let account = self.get_mut(terminal)?;
        account.requests += 1;
        account.reached()
    }

    /// Adds what an attempt used.
    pub fn add(&mut self, terminal: TerminalId, tokens: Tokens, nanodollars: Option<u64>) {
        if let Some(account) = self.get_mut(terminal) {
            account.add(tokens, nanodollars);
        }
    }

    /// Sets another budget in the place of the present one.
    pub fn change_budget(&mut self, terminal: TerminalId, change: impl FnOnce(Budget) -> Budget) {
        if let Some(account) = self.get_mut(terminal) {
            account.budget = change(account.budget);
        }
    }

    /// A terminal's account; an empty one for a terminal that is not known.
    #[must_use]
    pub fn of(&self, terminal: TerminalId) -> Account {
        let living = self.living.get(&terminal);
        living
            .or_else(|| self.over.get(&terminal))
            .copied()
            .unwrap_or_default()
    }

    /// The accounts of terminals that are not over.
    pub fn living(&self) -> impl Iterator<Item = (TerminalId, Account)> {
        self.living.iter().map(|(id, account)| (*id, *account))
    }

    /// Takes up an account that was kept, as it was.
    pub fn restore(&mut self, terminal: TerminalId, account: Account) {
        self.living.insert(terminal, account);
    }

    fn get_mut(&mut self, terminal: TerminalId) -> Option<&mut Account> {
        let living = self.living.get_mut(&terminal);
        living.or_else(|| self.over.get_mut(&terminal))
    }
}

/// A limit that has been reached. Its text has no name of a terminal: see [`Reached::told_of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// In nanodollars.
    Money {
        used: u64,
        limit: u64,
    },
    Tokens {
        used: u64,
        limit: u64,
    },
}

impl Reached {
    /// What the caller is told, with the command that raises the budget of the terminal of that name.
    #[must_use]
    pub fn told_of(&self, name: &str) -> String {
        let quoted = shell_word(name);
        match *self {
            Self::Money { used, limit } => {
                // A whole sum above another is above its whole dollars.
                let next = round_above(used.max(limit) / NANODOLLARS);
                format!(
                    "budget reached for {name}: {}; tundra budget {quoted} --usd {next} raises it",
                    of_dollars(dollars(used), dollars(limit)),
                )
            }
            Self::Tokens { used, limit } => {
                let next = round_above(used.max(limit));
                format!(
                    "budget reached for {name}: {used} of {limit} tokens; tundra budget {quoted} --tokens {next} raises it"
                )
            }
        }
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Money { used, limit } => f.write_str(&of_dollars(dollars(used), dollars(limit))),
            Self::Tokens { used, limit } => write!(f, "{used} of {limit} tokens"),
        }
    }
}

/// A sum of a limit, in US dollars: cents, and below a limit of one cent what is left to tell.
#[must_use]
pub fn of_dollars(used: f64, limit: f64) -> String {
    let decimals = if limit < 0.01 { 4 } else { 2 };
    format!("${used:.decimals$} of ${limit:.decimals$}")
}

/// The next of 1, 2, 5, 10, 20, … above a number.
fn round_above(number: u64) -> u64 {
    let mut step: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let round = step.saturating_mul(factor);
            if round > number || round == u64::MAX {
                return round;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// A name as a shell reads it as one word.
fn shell_word(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@');
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(input: u64, output: u64) -> Tokens {
        Tokens {
            input,
            output,
            cache_read: 1_000,
            cache_write: 500,
        }
    }

    fn account(budget: Budget) -> Account {
        Account {
            budget,
            ..Account::default()
        }
    }

    fn usd(usd: f64) -> Budget {
        Budget {
            nanodollars: nanodollars(usd),
            tokens: None,
        }
    }

    #[test]
    fn a_budget_in_dollars_is_reached_when_it_is_used() {
        let mut account = account(usd(2.0));
        account.add(tokens(1, 1), Some(1_999_999_999));
        assert_eq!(account.reached(), None);
        account.add(tokens(1, 1), Some(1));
        let reached = account.reached().unwrap();
        assert_eq!(
            reached.told_of("build"),
            "budget reached for build: $2.00 of $2.00; tundra budget build --usd 5 raises it"
        );
        assert_eq!(reached.to_string(), "$2.00 of $2.00");
    }

    #[test]
    fn tokens_count_without_what_came_from_a_cache() {
        let mut account = account(Budget {
            nanodollars: None,
            tokens: Some(100),
        });
        account.add(tokens(60, 39), Some(0));
        assert_eq!((account.used_tokens(), account.reached()), (99, None));
        account.add(tokens(20, 1), None);
        assert_eq!(
            account.reached().unwrap().told_of("my agent"),
            "budget reached for my agent: 120 of 100 tokens; tundra budget 'my agent' --tokens 200 raises it"
        );
    }

    #[test]
    fn dollars_come_before_tokens_and_the_next_number_is_above_both() {
        let mut account = account(Budget {
            nanodollars: nanodollars(0.5),
            tokens: Some(1),
        });
        account.add(tokens(5, 5), Some(7_300_000_000));
        assert_eq!(
            account.reached().unwrap().told_of("it's"),
            r"budget reached for it's: $7.30 of $0.50; tundra budget 'it'\''s' --usd 10 raises it"
        );
        let next = |used, limit| Reached::Tokens { used, limit }.told_of("a");
        assert!(next(1, 1).contains("--tokens 2 "));
        assert!(next(5, 3).contains("--tokens 10 "));
        assert!(next(999, 1_000).contains("--tokens 2000 "));
        let cents = Reached::Money {
            used: 5_000_000,
            limit: 1_000_000,
        };
        assert_eq!(
            cents.told_of("a"),
            "budget reached for a: $0.0050 of $0.0010; tundra budget a --usd 1 raises it"
        );
    }

    #[test]
    fn what_nobody_knows_the_price_of_costs_null_and_never_nothing() {
        let mut account = Account::default();
        assert_eq!(account.cost_usd(), Some(0.0));
        account.add(tokens(1, 1), None);
        assert_eq!((account.cost_usd(), account.used_usd()), (None, 0.0));
        account.add(tokens(1, 1), Some(500_000_000));
        assert_eq!(account.cost_usd(), Some(0.5));
    }

    #[test]
    fn a_pane_warns_from_four_fifths_on() {
        let mut account = account(usd(1.0));
        assert_eq!((account.share(), account.is_near_end()), (0.0, false));
        account.add(tokens(0, 0), Some(799_999_999));
        assert!(!account.is_near_end());
        account.add(tokens(0, 0), Some(1));
        assert!(account.is_near_end());
        assert!(!Account::default().is_near_end());
    }

    #[test]
    fn an_agents_budget_stands_where_a_pane_names_none() {
        let own = usd(1.0);
        let agents = Budget {
            nanodollars: nanodollars(9.0),
            tokens: Some(7),
        };
        assert_eq!(own.or(agents).usd(), Some(1.0));
        assert_eq!(own.or(agents).tokens, Some(7));
        assert!(Budget::default().is_unlimited() && !own.is_unlimited());
    }

    #[test]
    fn accounts_count_for_their_terminal_alone_and_outlive_it() {
        let (one, other) = (TerminalId::random(), TerminalId::random());
        let mut accounts = Accounts::default();
        assert_eq!(accounts.came_in(one), None);
        accounts.open(one, usd(1.0));
        accounts.add(one, tokens(1, 2), nanodollars(1.0));
        accounts.add(other, tokens(1, 2), nanodollars(1.0));
        assert!(accounts.came_in(one).is_some());
        assert_eq!(accounts.of(one).requests, 1);
        assert_eq!(accounts.of(other), Account::default());
        accounts.change_budget(one, |_| usd(2.0));
        assert_eq!(accounts.came_in(one), None);
        accounts.close(one);
        accounts.close(one);
        assert_eq!(accounts.living().count(), 0);
        assert_eq!(accounts.of(one).used_tokens(), 3);
        let kept = accounts.of(one);
        accounts.restore(other, kept);
        assert_eq!(accounts.living().collect::<Vec<_>>(), [(other, kept)]);
        for _ in 0..REMEMBERED {
            let id = TerminalId::random();
            accounts.open(id, Budget::default());
            accounts.close(id);
        }
        assert_eq!(
            accounts.of(one),
            Account::default(),
            "the oldest is forgotten"
        );
    }

    #[test]
    fn only_a_sum_above_nothing_is_one() {
        assert_eq!(nanodollars(0.05), Some(50_000_000));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(nanodollars(none), None);
        }
    }

    proptest! {
        #[test]
        fn the_number_proposed_is_a_round_one_above(number in 0_u64..10_000_000_000) {
            let next = round_above(number);
            prop_assert!(next > number && next <= number.max(1) * 5 / 2 + 1);
            let digits = next.to_string();
            let (first, rest) = digits.split_at(1);
            prop_assert!(["1", "2", "5"].contains(&first) && rest.chars().all(|c| c == '0'));
        }
    }
}
