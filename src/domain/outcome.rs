//! How a call to a provider ended, what it is called, and what follows from it.

use std::time::Duration;

use super::moment::Span;
use super::profile::ProfileName;

/// Why a call to a provider did not give an answer to pass on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No whole HTTP answer: DNS, connect, TLS, reset, cut short, a redirect, a web page.
    #[error("HTTP error: {0}")]
    Http(String),
    #[error("API error (status {status}): {message}")]
    Api { status: u16, message: String },
    /// A 429; `retry_after` is what the provider asked for, else the profile's cooldown.
    #[error("rate limited: retry after {}s", Span(*retry_after).seconds())]
    RateLimited { retry_after: Duration },
    /// Nothing came in one of the times of `[timeouts]`.
    #[error("request timed out")]
    Timeout,
    /// A whole 200 whose body is not what the dialect says.
    #[error("parse error: {0}")]
    Parse(String),
    /// The provider, or its dialect, cannot do what the request asks for.
    #[error("unsupported: {0}")]
    Unsupported(String),
}

impl CallError {
    /// Under which kind it is counted.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Http(_) => ErrorKind::Http,
            Self::Api { .. } => ErrorKind::Api,
            Self::RateLimited { .. } => ErrorKind::RateLimited,
            Self::Timeout => ErrorKind::Timeout,
            Self::Parse(_) => ErrorKind::Parse,
            Self::Unsupported(_) => ErrorKind::Unsupported,
        }
    }

    /// Whether the next profile is asked, as long as the caller has got nothing yet.
    #[must_use]
    pub fn fails_over(&self) -> bool {
        match self {
            Self::Http(_) | Self::RateLimited { .. } | Self::Timeout | Self::Unsupported(_) => true,
            Self::Api { status, .. } => *status >= 500 || is_rejection(*status),
            Self::Parse(_) => false,
        }
    }

    /// What the breaker is told.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Http(_) => Outcome::Failure(Fault::Http),
            Self::Api { status, .. } if *status >= 500 => Outcome::Failure(Fault::Api),
            Self::Timeout => Outcome::Failure(Fault::Timeout),
            Self::Parse(_) => Outcome::Failure(Fault::Parse),
            Self::Api { .. } | Self::RateLimited { .. } | Self::Unsupported(_) => Outcome::Ignored,
        }
    }
}

/// Whether a status says that the provider does not take the key it was shown, or not its account's credit: no fault of
/// the request, so that the next profile may well serve it.
#[must_use]
pub const fn is_rejection(status: u16) -> bool {
    matches!(status, 401..=403)
}

/// What errors are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    Http,
    Api,
    RateLimited,
    Timeout,
    Parse,
    Unsupported,
}

impl ErrorKind {
    /// In the order in which counters hold them.
    pub const ALL: [Self; 6] = [
        Self::Http,
        Self::Api,
        Self::RateLimited,
        Self::Timeout,
        Self::Parse,
        Self::Unsupported,
    ];

    /// Its name in JSON, labels and the history.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Api => "api",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Parse => "parse",
            Self::Unsupported => "unsupported",
        }
    }
}

/// What one call says about its provider's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer is whole.
    Success,
    Failure(Fault),
    /// Says nothing: an error of the caller's, a 429, a caller who left.
    Ignored,
}

/// A failure that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Http,
    Api,
    Timeout,
    Parse,
}

impl Fault {
    /// Under which kind of error it is counted.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        match self {
            Self::Http => ErrorKind::Http,
            Self::Api => ErrorKind::Api,
            Self::Timeout => ErrorKind::Timeout,
            Self::Parse => ErrorKind::Parse,
        }
    }
}

/// Why tundra itself does not send a call to a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its breaker lets no call through.
    #[error("circuit is open – refusing call")]
    CircuitOpen,
    /// Its buckets have no room.
    #[error("rate limit exceeded for key '{profile}' – retry after {}", Span(*retry_after))]
    RateLimit {
        profile: ProfileName,
        retry_after: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_and_act_as_the_contract_says() {
        let api = |status| CallError::Api {
            status,
            message: "no".into(),
        };
        let table = [
            (
                CallError::Http("refused".into()),
                "HTTP error: refused",
                true,
                Outcome::Failure(Fault::Http),
            ),
            (
                api(529),
                "API error (status 529): no",
                true,
                Outcome::Failure(Fault::Api),
            ),
            (
                api(404),
                "API error (status 404): no",
                false,
                Outcome::Ignored,
            ),
            (
                api(401),
                "API error (status 401): no",
                true,
                Outcome::Ignored,
            ),
            (
                CallError::RateLimited {
                    retry_after: Duration::from_millis(6_200),
                },
                "rate limited: retry after 7s",
                true,
                Outcome::Ignored,
            ),
            (
                CallError::Timeout,
                "request timed out",
                true,
                Outcome::Failure(Fault::Timeout),
            ),
            (
                CallError::Parse("eof".into()),
                "parse error: eof",
                false,
                Outcome::Failure(Fault::Parse),
            ),
            (
                CallError::Unsupported("vision".into()),
                "unsupported: vision",
                true,
                Outcome::Ignored,
            ),
        ];
        for (error, text, fails_over, outcome) in table {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.fails_over(), fails_over, "{text}");
            assert_eq!(error.outcome(), outcome, "{text}");
        }
    }

    #[test]
    fn refusals_read_as_the_contract_says() {
        assert_eq!(
            Refusal::CircuitOpen.to_string(),
            "circuit is open – refusing call"
        );
        let refusal = Refusal::RateLimit {
            profile: ProfileName::from("claude"),
            retry_after: Duration::from_secs(65),
        };
        assert_eq!(
            refusal.to_string(),
            "rate limit exceeded for key 'claude' – retry after 1m5s"
        );
    }

    #[test]
    fn kinds_of_errors_have_the_names_of_the_contract() {
        assert_eq!(
            ErrorKind::ALL.map(ErrorKind::as_str),
            [
                "http",
                "api",
                "rate_limited",
                "timeout",
                "parse",
                "unsupported"
            ]
        );
    }
}
