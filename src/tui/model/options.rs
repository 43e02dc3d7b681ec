//! What the front end goes by; may be replaced while it runs.

use crate::domain::keymap::Keymap;

#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    pub keymap: Keymap,
    pub mouse: bool,
    /// The share of the pool, 0 to 1, above which the gauge warns.
    pub warn_at: f64,
}
