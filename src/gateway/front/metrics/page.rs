//! The text format itself: lines, labels and what is escaped in them.

use std::fmt::{self, Write};

use crate::domain::printable::is_disruptive;
use crate::domain::usage::Latency;

/// Nanodollars, written as dollars without losing any.
pub(super) struct Dollars(pub u64);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:09}",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

/// A page of the text exposition format.
pub(super) struct Page(String);

impl Page {
    pub fn new() -> Self {
        Self(String::with_capacity(16 * 1024))
    }

    pub fn into_text(self) -> String {
        self.0
    }

    /// Begins a metric: what is said of it and its `kind` (`counter`, `gauge`, `histogram`).
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample of the metric begun last.
    pub fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"{}\"", Escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// A whole metric with a histogram of seconds for each profile.
    pub fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        latencies: impl Iterator<Item = (&'a str, &'a Latency)>,
    ) {
        self.head(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        for (profile, latency) in latencies {
            for (bound_ms, count) in latency.cumulative() {
                let bound = (f64::from(bound_ms) / 1000.0).to_string();
                self.line(&bucket, &[("profile", profile), ("le", &bound)], count);
            }
            self.line(
                &bucket,
                &[("profile", profile), ("le", "+Inf")],
                latency.count(),
            );
            self.line(
                &format!("{name}_sum"),
                &[("profile", profile)],
                latency.sum().as_secs_f64(),
            );
            self.line(
                &format!("{name}_count"),
                &[("profile", profile)],
                latency.count(),
            );
        }
    }
}

/// A label's value with what would end it escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                // The format knows no escape for it, so that its own backslash is escaped.
                c if is_disruptive(c) => write!(f, "\\{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
