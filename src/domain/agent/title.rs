//! What an agent's window title tells of it: rules of its adapter's, since every vendor has its own signs.

use std::sync::Arc;

/// What a title means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TitleMeaning {
    Working,
    Waiting,
    /// It rests: after work it is done, else idle.
    Idle,
    /// Work that an earlier title told is over; without such, nothing is told.
    Over,
}

impl TitleMeaning {
    pub const ALL: [Self; 4] = [Self::Working, Self::Waiting, Self::Idle, Self::Over];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Idle => "idle",
            Self::Over => "over",
        }
    }
}

/// One rule: titles whose first character is one of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TitleRule {
    /// Ranges of first characters, both ends included; none for every title.
    first: Vec<(char, char)>,
    meaning: TitleMeaning,
}

impl TitleRule {
    /// Reads the characters from a text: single ones, and ranges as `a-z`; an empty text is every title.
    #[must_use]
    pub fn new(first: &str, meaning: TitleMeaning) -> Self {
        let mut ranges = Vec::new();
        let mut rest = first.chars();
        while let Some(start) = rest.next() {
            let mut after = rest.clone();
            match (after.next(), after.next()) {
                (Some('-'), Some(end)) => {
                    ranges.push((start, end));
                    rest = after;
                }
                _ => ranges.push((start, start)),
            }
        }
        Self {
            first: ranges,
            meaning,
        }
    }

    fn fits(&self, title: &str) -> bool {
        let Some(first) = title.chars().next() else {
            return false;
        };
        let mut ranges = self.first.iter();
        self.first.is_empty() || ranges.any(|(start, end)| (*start..=*end).contains(&first))
    }
}

/// The rules of one adapter; the first that fits counts. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TitleRules(Arc<[TitleRule]>);

impl TitleRules {
    #[must_use]
    pub fn new(rules: Vec<TitleRule>) -> Self {
        Self(rules.into())
    }

    /// What a title means; None where no rule fits.
    #[must_use]
    pub fn meaning(&self, title: &str) -> Option<TitleMeaning> {
        let mut rules = self.0.iter();
        Some(rules.find(|rule| rule.fits(title))?.meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = TitleRules::new(vec![
            TitleRule::new("\u{2801}-\u{28ff}x", TitleMeaning::Working),
            TitleRule::new("✳✻", TitleMeaning::Idle),
            TitleRule::new("", TitleMeaning::Over),
        ]);
        let table = [
            ("⠂ repo", Some(TitleMeaning::Working)),
            ("\u{28ff}", Some(TitleMeaning::Working)),
            ("\u{2800}", Some(TitleMeaning::Over)),
            ("x", Some(TitleMeaning::Working)),
            ("✻ repo", Some(TitleMeaning::Idle)),
            ("repo", Some(TitleMeaning::Over)),
            ("", None),
        ];
        for (title, meaning) in table {
            assert_eq!(rules.meaning(title), meaning, "{title}");
        }
        assert_eq!(TitleRules::default().meaning("⠂"), None);
        let ends = TitleRules::new(vec![TitleRule::new("a-", TitleMeaning::Idle)]);
        assert_eq!(ends.meaning("-"), Some(TitleMeaning::Idle));
        assert_eq!(ends.meaning("b"), None);
    }
}
