//! Interleaved rounds of what is measured at each arm.

use crate::files::Scratch;
use crate::options::Options;
use crate::report::Report;

/// Rows of the table, each with its value.
pub type Samples = Vec<(&'static str, f64)>;

/// Something that is measured at each of several arms.
pub trait Measure: Copy + 'static {
    /// Whom it is measured at.
    type Arm: Copy + 'static;

    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    fn applies_to(self, arm: Self::Arm) -> bool;

    fn run(self, arm: Self::Arm, options: &Options, scratch: &Scratch) -> Samples;
}

/// Measures all that is asked for at the arms, which are given with their names, and prints the medians.
pub fn run<M: Measure>(options: &Options, arms: &[(M::Arm, &'static str)]) {
    let scratch = Scratch::new();
    let mut report = Report::default();
    for _ in 0..options.rounds {
        for measure in M::ALL {
            if !options.wants(measure.name()) {
                continue;
            }
            for (arm, name) in arms.iter().filter(|(arm, _)| measure.applies_to(*arm)) {
                for (row, value) in measure.run(*arm, options, &scratch) {
                    report.add(measure.name(), row, name, value);
                }
            }
        }
    }
    report.print();
}
