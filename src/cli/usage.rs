//! `tundra usage`: what was asked of whom, and what it cost.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, show};
use crate::api::shapes::{UsageShape, usage_key_text};
use crate::api::since::{self, Since};
use crate::domain::printable::printable;
use crate::store::{Grouping, Reader, UsageKey, UsageReport, UsageRow, UsageSum};

/// A bar of a person's terminal: wide enough to compare, narrow enough for 80 columns.
const LONGEST_BAR: usize = 40;
const SHORTEST_BAR: usize = 4;

#[derive(Debug, Args)]
pub struct Usage {
    /// From when on: 24h, 7d, 2026-11-29 or a time; begins at a full hour
    #[arg(long, value_name = "WHEN", default_value = "24h", value_parser = since::parse)]
    since: Since,
    /// What a row stands for
    #[arg(long, value_enum, default_value_t)]
    by: By,
    #[command(flatten)]
    pub json: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub enum By {
    #[default]
    Profile,
    Model,
    Pane,
    Agent,
    Hour,
    Day,
}

impl By {
    const fn grouping(self) -> Grouping {
        match self {
            Self::Profile => Grouping::Profile,
            Self::Model => Grouping::Model,
            Self::Pane => Grouping::Pane,
            Self::Agent => Grouping::Agent,
            Self::Hour => Grouping::Hour,
            Self::Day => Grouping::Day,
        }
    }

    const fn head(self) -> &'static str {
        match self {
            Self::Profile => "PROFILE",
            Self::Model => "MODEL",
            Self::Pane => "PANE",
            Self::Agent => "AGENT",
            Self::Hour => "HOUR",
            Self::Day => "DAY",
        }
    }
}

pub fn run(args: &Usage, context: &Context) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let by = args.by.grouping();
    let reader = Reader::open(&context.paths()?.journal())?;
    let report = reader.usage(args.since.at(now), now, by)?;
    if args.json.json {
        return Ok(output::json(&UsageShape::new(&report, by)));
    }
    Ok(output::data(&text(&report, args.by, output::columns())))
}

fn text(report: &UsageReport, by: By, columns: Option<usize>) -> String {
    let since = report.since;
    if report.rows.is_empty() {
        return format!("no requests since {since}\n");
    }
    let rows = report.rows_with_gaps(by.grouping());
    let mut cells = vec![head(by)];
    cells.extend(rows.iter().map(|row| line(&name(row, by), &row.sum)));
    cells.push(line("total", &report.total));
    let mut lines = show::table_within(&cells, columns, &[0]);
    if matches!(by, By::Hour | By::Day) {
        add_bars(&mut lines, &rows, columns);
    }
    let mut text = format!("since {since}\n");
    for line in lines {
        let line = line.trim_end();
        text.push_str(&columns.map_or_else(|| line.to_owned(), |columns| show::cut(line, columns)));
        text.push('\n');
    }
    text
}

fn head(by: By) -> Vec<String> {
    [
        by.head(),
        "REQ",
        "ERR",
        "429",
        "INPUT",
        "OUTPUT",
        "CACHED",
        "COST",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn line(name: &str, sum: &UsageSum) -> Vec<String> {
    // An estimate is marked, as it is in the panel.
    let about = if sum.estimated > 0 { "~" } else { "" };
    vec![
        name.to_owned(),
        sum.requests.to_string(),
        sum.errors.to_string(),
        sum.rate_limited.to_string(),
        format!("{about}{}", short(sum.tokens_in)),
        format!("{about}{}", short(sum.tokens_out)),
        short(sum.cache_read.saturating_add(sum.cache_write)),
        cost(sum.cost_micros),
    ]
}

fn cost(micros: Option<u64>) -> String {
    match micros {
        None => "?".to_owned(),
        Some(micros) => {
            let cents = micros.div_ceil(10_000);
            format!("${}.{:02}", cents / 100, cents % 100)
        }
    }
}

/// A count in at most four digits and a letter.
fn short(count: u64) -> String {
    for (unit, letter) in [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')] {
        if count >= unit * 10 {
            return format!("{}{letter}", count / unit);
        }
    }
    count.to_string()
}

fn name(row: &UsageRow, by: By) -> String {
    let key = usage_key_text(row, by.grouping());
    let none = match by {
        By::Pane => "(outside)",
        By::Agent => "(none)",
        By::Profile | By::Model | By::Hour | By::Day => "",
    };
    match (&row.name, key.as_str()) {
        (Some(name), _) => printable(name).into_owned(),
        (None, "") => none.to_owned(),
        (None, key) => match (by, &row.key) {
            (By::Hour, UsageKey::Time(at)) => at.strftime("%Y-%m-%d %H:00").to_string(),
            _ => printable(key).into_owned(),
        },
    }
}

/// Draws the tokens of each row as a bar, where a person looks and there is room.
fn add_bars(lines: &mut [String], rows: &[UsageRow], columns: Option<usize>) {
    let Some(columns) = columns else { return };
    let widest = lines.iter().map(|line| line.chars().count()).max();
    let from = widest.unwrap_or(0) + 2;
    let room = columns.saturating_sub(from).min(LONGEST_BAR);
    let most = rows.iter().map(|row| row.sum.weight()).max().unwrap_or(0);
    if room < SHORTEST_BAR || most == 0 {
        return;
    }
    for (line, row) in lines.iter_mut().skip(1).zip(rows) {
        let gap = from - line.chars().count();
        line.push_str(&" ".repeat(gap));
        line.push_str(&bar(row.sum.weight(), most, room));
    }
}

/// A bar in eighths of a column; something is never drawn as nothing.
fn bar(part: u64, whole: u64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let room = u128::try_from(columns * 8).unwrap_or_default();
    let eighths = (u128::from(part) * room).div_ceil(u128::from(whole.max(1)));
    let eighths = usize::try_from(eighths).unwrap_or_default();
    let rest = EIGHTHS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64, requests: u64) -> UsageRow {
        UsageRow {
            key: UsageKey::Time(Timestamp::from_second(hour * 3600).unwrap()),
            name: None,
            sum: UsageSum {
                requests,
                tokens_in: requests * 1000,
                tokens_out: requests * 10,
                cost_micros: Some(requests * 12_345),
                ..UsageSum::default()
            },
        }
    }

    fn report(rows: Vec<UsageRow>) -> UsageReport {
        let mut total = UsageSum::default();
        for row in &rows {
            total.add(&row.sum);
        }
        UsageReport {
            since: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
            rows,
            total,
        }
    }

    #[test]
    fn hours_without_usage_are_seen_and_bars_fit_the_terminal() {
        let report = report(vec![hour(1, 1), hour(3, 4)]);
        let text = text(&report, By::Hour, Some(80));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "since 1970-01-01T00:00:00Z",
                "HOUR              REQ  ERR  429  INPUT  OUTPUT  CACHED  COST",
                "1970-01-01 01:00  1    0    0    1000   10      0       $0.02  ████▎",
                "1970-01-01 02:00  0    0    0    0      0       0       ?",
                "1970-01-01 03:00  4    0    0    4000   40      0       $0.05  █████████████████",
                "total             5    0    0    5000   50      0       $0.07",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn into_a_pipe_there_are_no_bars_and_nothing_is_cut() {
        let report = report(vec![hour(1, 1)]);
        assert!(!text(&report, By::Hour, None).contains('█'));
    }

    #[test]
    fn an_unused_home_says_so() {
        assert_eq!(
            text(&report(Vec::new()), By::Profile, None),
            "no requests since 1970-01-01T00:00:00Z\n"
        );
    }

    #[test]
    fn something_is_never_drawn_as_nothing() {
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(0, 5, 10), "");
        assert_eq!(bar(5, 5, 3), "███");
    }
}
