//! The result as the README shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::options::Options;
use crate::target::Target;

/// Samples by row, in the order in which the rows came, and target.
#[derive(Default)]
pub struct Table {
    rows: Vec<(&'static str, BTreeMap<Target, Vec<f64>>)>,
}

impl Table {
    pub fn add(&mut self, row: &'static str, target: Target, value: f64) {
        let at = self.rows.iter().position(|(name, _)| *name == row);
        let at = at.unwrap_or_else(|| {
            self.rows.push((row, BTreeMap::new()));
            self.rows.len() - 1
        });
        self.rows[at].1.entry(target).or_default().push(value);
    }

    /// Medians, with the range where there was more than one round.
    pub fn render(&self, options: &Options) -> String {
        let mut text = format!(
            "Medians of {} interleaved rounds, in brackets the range; {} keys; {} s frozen and idle.\n\n",
            options.rounds,
            options.keys,
            options.time.as_secs()
        );
        text.push_str("| 200x50 |");
        for target in Target::ALL {
            write!(text, " {} |", target.name()).unwrap();
        }
        text.push_str("\n|---|---|---|---|\n");
        for (row, targets) in &self.rows {
            write!(text, "| {row} |").unwrap();
            for target in Target::ALL {
                let cell = targets.get(&target).map_or_else(String::new, |s| cell(s));
                write!(text, " {cell} |").unwrap();
            }
            text.push('\n');
        }
        text
    }
}

fn cell(samples: &[f64]) -> String {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    if sorted.len() == 1 {
        return short(median);
    }
    format!("{} ({} to {})", short(median), short(least), short(most))
}

/// Three significant digits.
fn short(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
