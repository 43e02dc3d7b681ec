//! The way to a pane for a browser, as another room gives it.

use std::fmt;
use std::time::Duration;

use crate::domain::id::TerminalId;

/// An address for a browser. It holds a token, so that it may be shown and copied but never kept or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserAddress {
    pub url: String,
    /// For how long one login with it is possible.
    pub good_for: Duration,
    /// Of the certificate, where it is self-signed, so that a browser asks about it.
    pub fingerprint: Option<String>,
}

impl fmt::Debug for BrowserAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserAddress")
            .field("good_for", &self.good_for)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Gives addresses.
pub trait Addresses: fmt::Debug + Send + Sync {
    /// An address with a fresh token, of that terminal or of the list of all; at once, without waiting for anything.
    ///
    /// # Errors
    /// Why there is none, and what to do about it.
    fn address(&self, terminal: Option<TerminalId>) -> Result<BrowserAddress, String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_told_to_whoever_formats_it() {
        let address = BrowserAddress {
            url: "http://127.0.0.1:3000/#token=secret".to_owned(),
            good_for: Duration::from_secs(600),
            fingerprint: None,
        };
        assert!(!format!("{address:?}").contains("secret"));
    }
}
