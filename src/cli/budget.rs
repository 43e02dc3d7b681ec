//! `tundra budget`: what a terminal's requests may use.

use clap::Args;

use super::args::Json;
use super::complete;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use crate::api::BudgetChange;
use crate::api::shapes::BudgetShape;
use crate::domain::budget::{Budget as Limits, nanodollars, of_dollars};

#[derive(Debug, Args)]
pub struct Budget {
    /// Its id, the start of its id, or its name
    #[arg(add = complete::terminals())]
    id: String,
    #[command(flatten)]
    set: Set,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Debug, Args)]
struct Set {
    /// Refuse its requests once they have cost so many US dollars
    #[arg(long, value_name = "X", value_parser = usd)]
    usd: Option<u64>,
    /// Refuse its requests once they have used so many tokens, input and output without what a cache gave
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    tokens: Option<u64>,
    /// Let it use as much as it likes
    #[arg(long, conflicts_with_all = ["usd", "tokens"])]
    off: bool,
}

pub fn run(args: &Budget, context: &Context) -> Result<Exit, Failure> {
    let set = &args.set;
    let limits = Limits {
        nanodollars: set.usd,
        tokens: set.tokens,
    };
    let change = match set.off {
        true => Some(BudgetChange::Off),
        false if limits.is_unlimited() => None,
        false => Some(BudgetChange::Set(limits)),
    };
    let budget = context.client()?.budget(&args.id, change)?;
    if args.json.json {
        return Ok(output::json(&budget));
    }
    Ok(output::data(&line(budget)))
}

fn line(budget: Option<BudgetShape>) -> String {
    let Some(budget) = budget else {
        return "no budget\n".to_owned();
    };
    let usd = budget.usd.map(|usd| of_dollars(budget.used_usd, usd));
    let tokens = budget
        .tokens
        .map(|tokens| format!("{} of {tokens} tokens", budget.used_tokens));
    let parts: Vec<String> = usd.into_iter().chain(tokens).collect();
    format!("{}\n", parts.join(", "))
}

/// A sum in US dollars, in nanodollars.
pub fn usd(text: &str) -> Result<u64, String> {
    let sum = text.trim_start_matches('$').parse().ok();
    sum.and_then(nanodollars)
        .ok_or_else(|| "write a sum above 0 in US dollars, such as 2 or 0.50".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_told_by_its_limits() {
        let budget = |usd, tokens| {
            line(Some(BudgetShape {
                usd,
                tokens,
                used_usd: 0.5,
                used_tokens: 7,
            }))
        };
        assert_eq!(budget(Some(2.0), None), "$0.50 of $2.00\n");
        assert_eq!(
            budget(Some(2.0), Some(9)),
            "$0.50 of $2.00, 7 of 9 tokens\n"
        );
        assert_eq!(budget(Some(0.005), None), "$0.5000 of $0.0050\n");
        assert_eq!(line(None), "no budget\n");
    }

    #[test]
    fn a_sum_is_above_nothing() {
        assert_eq!(usd("2"), Ok(2_000_000_000));
        assert_eq!(usd("$0.50"), Ok(500_000_000));
        for wrong in ["", "0", "-1", "two", "nan"] {
            assert!(usd(wrong).is_err(), "{wrong}");
        }
    }
}
