//! What answers cost, by a dated table. A model that is not in it has no known price, which is not a price of nothing.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::wire::TokenUsage;
use crate::domain::profile::ProviderKind;

/// Trimmed from `LiteLLM`'s table; its date, source and licence stand in it, the licence's text beside it.
const TABLE: &str = include_str!("../../assets/prices.json");
/// A million tokens for a dollar is a thousand nanodollars a token.
const NANODOLLARS: f64 = 1_000.0;

#[derive(Debug, Deserialize)]
struct Table {
    date: String,
    models: HashMap<String, Price>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
struct Price {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_1h: Option<f64>,
    long: Option<Long>,
}

/// What a request costs instead whose whole input is longer than `above` tokens.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
struct Long {
    above: u64,
    input: Option<f64>,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
}

/// The day that the prices are of.
pub fn date() -> &'static str {
    &table().date
}

/// The cost in nanodollars of an answer by `model` as it was asked of a provider; `None` where nobody knows.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate of money, far below where a double loses whole nanodollars"
)]
pub fn nanodollars(provider: ProviderKind, model: &str, told: TokenUsage) -> Option<u64> {
    if provider == ProviderKind::Local {
        return None;
    }
    let price = find(model)?.for_input(told.input + told.cache_read + told.cache_write);
    let short_write = told.cache_write.saturating_sub(told.cache_write_1h);
    let read = price.cache_read.unwrap_or(price.input);
    let write = price.cache_write.unwrap_or(price.input);
    let write_1h = price.cache_write_1h.unwrap_or(write);
    let dollars_per_million = told.input as f64 * price.input
        + told.output as f64 * price.output
        + told.cache_read as f64 * read
        + short_write as f64 * write
        + told.cache_write_1h as f64 * write_1h;
    Some((dollars_per_million * NANODOLLARS).round() as u64)
}

impl Price {
    fn for_input(self, tokens: u64) -> Self {
        match self.long {
            Some(long) if tokens > long.above => Self {
                input: long.input.unwrap_or(self.input),
                output: long.output.unwrap_or(self.output),
                cache_read: long.cache_read.or(self.cache_read),
                cache_write: long.cache_write.or(self.cache_write),
                ..self
            },
            _ => self,
        }
    }
}

/// Finds a model under its own name, then without a vendor's prefix, in the table's spelling, and without its date.
fn find(model: &str) -> Option<Price> {
    let models = &table().models;
    let bare = model.rsplit('/').next().unwrap_or(model);
    let dashed = bare.replace('.', "-");
    let undated = |name: &str| {
        let (head, date) = name.rsplit_once('-')?;
        let dated =
            date == "latest" || (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()));
        dated.then(|| head.to_owned())
    };
    [
        Some(bare.to_owned()),
        undated(bare),
        Some(dashed.clone()),
        undated(&dashed),
    ]
    .into_iter()
    .flatten()
    .find_map(|name| models.get(&name))
    .copied()
}

fn table() -> &'static Table {
    static TABLE_READ: OnceLock<Table> = OnceLock::new();
    TABLE_READ.get_or_init(|| {
        serde_json::from_str(TABLE).unwrap_or_else(|_| Table {
            date: String::new(),
            models: HashMap::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(input: u64, output: u64) -> TokenUsage {
        TokenUsage {
            input,
            output,
            ..TokenUsage::default()
        }
    }

    #[test]
    fn the_table_is_read_and_dated() {
        assert_eq!(date(), "2026-11-24");
        assert!(table().models.len() > 100);
    }

    #[test]
    fn an_answer_costs_what_its_parts_cost() {
        let told = TokenUsage {
            input: 1_000,
            output: 100,
            cache_read: 10_000,
            cache_write: 2_000,
            cache_write_1h: 500,
        };
        // 3, 15, 0.3, 3.75 and 6 dollars a million.
        let expected = 3_000_000 + 1_500_000 + 3_000_000 + 5_625_000 + 3_000_000;
        for model in [
            "claude-sonnet-4-5",
            "anthropic/claude-sonnet-4.5",
            "claude-sonnet-4-5-20250929",
        ] {
            assert_eq!(
                nanodollars(ProviderKind::Anthropic, model, told),
                Some(expected),
                "{model}"
            );
        }
    }

    #[test]
    fn what_a_model_costs_rises_with_a_long_input() {
        let cost = |input| nanodollars(ProviderKind::Gemini, "gemini-2.5-pro", told(input, 1_000));
        assert_eq!(cost(100_000), Some(125_000_000 + 10_000_000));
        assert_eq!(cost(300_000), Some(750_000_000 + 15_000_000));
    }

    #[test]
    fn the_unknown_is_not_free() {
        assert_eq!(
            nanodollars(ProviderKind::OpenRouter, "nobody/knows", told(1, 1)),
            None
        );
        assert_eq!(nanodollars(ProviderKind::Local, "gpt-4o", told(1, 1)), None);
    }

    #[test]
    fn default_models_have_a_price() {
        for provider in [
            ProviderKind::Anthropic,
            ProviderKind::OpenRouter,
            ProviderKind::OpenAi,
            ProviderKind::Gemini,
        ] {
            assert!(
                nanodollars(provider, provider.model(), told(1, 1)).is_some(),
                "{provider:?}"
            );
        }
    }
}
