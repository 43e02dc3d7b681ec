//! The doctor, as another room gives it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::domain::check::Check;

/// What is known of the outer terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OuterFacts {
    pub cols: u16,
    pub rows: u16,
    /// It speaks kitty's keyboard protocol.
    pub keyboard: bool,
}

/// Looks at everything; some seconds. Dropping the future gives up on it.
pub type Examination = Pin<Box<dyn Future<Output = Vec<Check>> + Send>>;

pub trait Checkup: fmt::Debug + Send + Sync {
    /// Begins to look.
    fn examine(&self, outer: OuterFacts) -> Examination;
}
