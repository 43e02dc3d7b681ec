//! Medians over rounds as a table, as the README shows it.

/// Every sample, in the order in which its place first came up.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

struct Row {
    load: String,
    measure: String,
    arm: String,
    samples: Vec<f64>,
}

impl Report {
    pub fn add(&mut self, load: &str, measure: &str, arm: &str, value: f64) {
        eprintln!("{load}: {measure}, {arm}: {value:.3}");
        let same = |row: &&mut Row| row.load == load && row.measure == measure && row.arm == arm;
        match self.rows.iter_mut().find(same) {
            Some(row) => row.samples.push(value),
            None => self.rows.push(Row {
                load: load.to_owned(),
                measure: measure.to_owned(),
                arm: arm.to_owned(),
                samples: vec![value],
            }),
        }
    }

    pub fn print(&self) {
        let mut arms: Vec<&str> = Vec::new();
        let mut lines: Vec<(&str, &str)> = Vec::new();
        for row in &self.rows {
            if !arms.contains(&row.arm.as_str()) {
                arms.push(&row.arm);
            }
            if !lines.contains(&(&row.load, &row.measure)) {
                lines.push((&row.load, &row.measure));
            }
        }
        println!("| load | measure | {} |", arms.join(" | "));
        println!("|---|---|{}", "---|".repeat(arms.len()));
        for (load, measure) in lines {
            let cells = arms.iter().map(|arm| {
                let row = self
                    .rows
                    .iter()
                    .find(|row| row.load == load && row.measure == measure && row.arm == *arm);
                row.map_or_else(String::new, |row| cell(&row.samples))
            });
            println!(
                "| {load} | {measure} | {} |",
                cells.collect::<Vec<_>>().join(" | ")
            );
        }
    }
}

/// The median, with the range where there was more than one round.
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
