//! The front end.

pub mod copy;
pub mod palette_match;
pub mod theme;
