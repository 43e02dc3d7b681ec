//! Fuzzy ranking of what the palette and the lists offer.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A candidate that fits, with where it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Index into the candidates as given.
    pub index: usize,
    pub score: u32,
    /// Positions of the grapheme clusters that matched (for ASCII: of the bytes), ascending.
    pub positions: Vec<u32>,
}

/// Ranks the candidates that fit a query, best first, ties in their order; an empty query keeps all.
///
/// The query is fzf's: words that must all fit, `'word` exactly, `^word` at the start, `word$` at the end, `!word` not
/// at all; capitals count only where the query has one.
#[must_use]
pub fn rank<S: AsRef<str>>(query: &str, candidates: &[S]) -> Vec<Ranked> {
    let pattern = Pattern::parse(query, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut ranked: Vec<Ranked> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| {
            let text = Utf32Str::new(candidate.as_ref(), &mut buffer);
            let mut positions = Vec::new();
            let score = pattern.indices(text, &mut matcher, &mut positions)?;
            positions.sort_unstable();
            positions.dedup();
            Some(Ranked {
                index,
                score,
                positions,
            })
        })
        .collect();
    ranked.sort_by_key(|ranked| std::cmp::Reverse(ranked.score));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [&str; 5] = [
        "new-pane",
        "split-right",
        "split-down",
        "pane-list",
        "Paste buffer é",
    ];

    fn names(query: &str) -> Vec<&'static str> {
        rank(query, &ACTIONS)
            .iter()
            .map(|ranked| ACTIONS[ranked.index])
            .collect()
    }

    #[test]
    fn an_empty_query_keeps_all_in_their_order() {
        assert_eq!(names(""), ACTIONS);
        assert_eq!(names("  "), ACTIONS);
    }

    #[test]
    fn the_better_match_comes_first() {
        assert_eq!(names("spd"), ["split-down"]);
        assert_eq!(names("pane"), ["pane-list", "new-pane"]);
        assert_eq!(names("down split"), ["split-down"]);
        assert_eq!(names("xyz"), [""; 0]);
    }

    #[test]
    fn capitals_count_only_where_the_query_has_one() {
        assert_eq!(names("paste"), ["Paste buffer é"]);
        assert_eq!(names("PASTE"), [""; 0]);
        assert_eq!(names("Paste"), ["Paste buffer é"]);
    }

    #[test]
    fn positions_tell_what_matched() {
        let [ranked] = rank("é", &ACTIONS).try_into().unwrap();
        assert_eq!((ranked.index, ranked.positions), (4, vec![13]));
        let [ranked] = rank("sd", &ACTIONS[2..3]).try_into().unwrap();
        assert_eq!(ranked.positions, [0, 6]);
    }
}
