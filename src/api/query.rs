//! What names and values ask of the journal, such as those of an address.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use super::error::ApiError;
use super::operation::Operation;
use super::since::{self, Since};
use crate::domain::fact::Kind;
use crate::store::{EventFilter, Grouping};

const DAY: Since = Since::Ago(Duration::from_secs(86_400));
/// Events of one answer, unless `last` says otherwise.
const EVENTS: usize = 1000;
const MOST_EVENTS: usize = 10_000;

/// `since` and `by`, as `tundra usage` takes them; other names are left alone.
///
/// # Errors
/// [`ApiError`] for a value that means nothing, with those that would.
pub fn usage<'q>(
    asked: impl Iterator<Item = (&'q str, Cow<'q, str>)>,
) -> Result<Operation, ApiError> {
    let (mut since, mut by) = (DAY, Grouping::default());
    for (name, value) in asked {
        match name {
            "since" => since = since_of(&value)?,
            "by" => {
                by = Grouping::named(&value).ok_or_else(|| {
                    let names = Grouping::ALL.map(Grouping::as_str).join(", ");
                    ApiError::bad_request(format!("by must be one of {names}"))
                })?;
            }
            _ => {}
        }
    }
    Ok(Operation::Usage { since, by })
}

/// `since`, `kind`, `terminal`, `profile` and `last`, as `tundra history` takes them; other names are left alone.
///
/// # Errors
/// [`ApiError`] for a value that means nothing, with those that would.
pub fn history<'q>(
    asked: impl Iterator<Item = (&'q str, Cow<'q, str>)>,
) -> Result<Operation, ApiError> {
    let mut since = DAY;
    let mut filter = EventFilter {
        last: Some(EVENTS),
        ..EventFilter::default()
    };
    for (name, value) in asked {
        match name {
            "since" => since = since_of(&value)?,
            "kind" => {
                let kinds = Kind::named(&value);
                if kinds.is_empty() {
                    let names = Kind::ALL.map(Kind::as_str).join(", ");
                    return Err(ApiError::bad_request(format!(
                        "kind must be one of {names}"
                    )));
                }
                filter.kinds.extend(kinds);
            }
            "terminal" => filter.terminal = Some(value.into_owned()),
            "profile" => filter.profile = Some(value.into_owned()),
            "last" => {
                let last = value.parse().ok().filter(|last| *last <= MOST_EVENTS);
                filter.last = Some(last.ok_or_else(|| {
                    ApiError::bad_request(format!("last must be a number up to {MOST_EVENTS}"))
                })?);
            }
            _ => {}
        }
    }
    filter.since = Some(since.at(Timestamp::now()));
    Ok(Operation::History(filter))
}

fn since_of(value: &str) -> Result<Since, ApiError> {
    since::parse(value).map_err(|right| {
        let told = format!("since {right}");
        ApiError::bad_request(told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs<'q>(pairs: &'q [(&'q str, &'q str)]) -> impl Iterator<Item = (&'q str, Cow<'q, str>)> {
        pairs.iter().map(|(name, value)| (*name, Cow::from(*value)))
    }

    #[test]
    fn a_query_says_what_the_command_line_would() {
        assert_eq!(
            usage(pairs(&[("since", "2026-11-29"), ("by", "hour")])),
            Ok(Operation::Usage {
                since: since::parse("2026-11-29").unwrap(),
                by: Grouping::Hour,
            })
        );
        assert_eq!(
            usage(pairs(&[])),
            Ok(Operation::Usage {
                since: DAY,
                by: Grouping::Profile,
            })
        );
        let asked = [
            ("since", "2026-11-29"),
            ("kind", "config"),
            ("kind", "store.state"),
            ("profile", "a b"),
            ("last", "3"),
        ];
        assert_eq!(
            history(pairs(&asked)),
            Ok(Operation::History(EventFilter {
                since: Some("2026-11-29T00:00:00Z".parse().unwrap()),
                kinds: vec![Kind::ConfigReloaded, Kind::ConfigRefused, Kind::StoreState],
                terminal: None,
                profile: Some("a b".to_owned()),
                last: Some(3),
            }))
        );
    }

    #[test]
    fn what_means_nothing_is_refused_with_what_would() {
        let usages = [
            ("by", "colour", "profile, model, pane"),
            ("since", "yesterday", "24h"),
        ];
        for (name, value, right) in usages {
            let refused = usage(pairs(&[(name, value)])).unwrap_err();
            assert!(refused.message.contains(right), "{}", refused.message);
        }
        let histories = [
            ("kind", "nothing", "provider.failover"),
            ("last", "10001", "10000"),
        ];
        for (name, value, right) in histories {
            let refused = history(pairs(&[(name, value)])).unwrap_err();
            assert!(refused.message.contains(right), "{}", refused.message);
        }
    }
}
