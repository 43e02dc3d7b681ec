use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::domain::code::Code;
use crate::domain::cooldown::CoolingCause;
use crate::domain::moment::Moment;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::{Dialect, Profile, ProviderKind};
use crate::domain::route::{Lack, NothingLeft, Skip};

fn name(given: &str) -> &'static str {
    match find(given) {
        Found::One(entry) => entry.name,
        Found::Near(near) => panic!("{given}: only near {near}"),
        Found::Nothing => panic!("{given}: nothing"),
    }
}

#[test]
fn every_name_is_unique_and_every_row_is_filled() {
    let mut names = BTreeSet::new();
    for entry in index() {
        assert!(names.insert(entry.name.to_lowercase()), "{}", entry.name);
        for alias in entry.aliases {
            assert!(names.insert(alias.to_lowercase()), "{alias}");
        }
        for list in [entry.texts, entry.symptoms, entry.causes, entry.cures] {
            assert!(!list.is_empty(), "{}", entry.name);
        }
        assert!(!entry.prevention.is_empty(), "{}", entry.name);
        assert!(entry.log_target.starts_with("tundra::"), "{}", entry.name);
        assert!(entry.meaning.ends_with('.'), "{}", entry.name);
    }
    let groups: BTreeSet<Group> = index().map(|entry| entry.group).collect();
    assert_eq!(groups.len(), Group::ALL.len());
}

#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        assert!(by_code(code.as_str()).is_some(), "{code:?}");
    }
    for kind in ErrorKind::ALL {
        assert!(by_code(kind.as_str()).is_some(), "{kind:?}");
    }
    for code in [
        "1", "2", "3", "exit 3", "130", "401", "402", "404", "429", "502", "503", "529",
    ] {
        assert!(by_code(code).is_some(), "{code}");
    }
    assert_eq!(name("at_capacity"), "AtCapacity");
    assert_eq!(name("3"), "NoInstance");
    assert_eq!(name("429"), "RateLimited");
    assert_eq!(by_code("0"), None);
}

#[test]
fn names_are_found_whatever_their_case_and_their_path() {
    for (given, expected) in [
        ("AtCapacity", "AtCapacity"),
        ("atcapacity", "AtCapacity"),
        ("PtyError::AtCapacity", "AtCapacity"),
        ("LlmError::HttpError", "HttpError"),
        ("RateLimitError::Exceeded", "RateLimitExceeded"),
        ("CircuitBreakerError::Open", "CircuitOpen"),
        ("handle-not-found", "HandleNotFound"),
        ("IpcError", "IpcError"),
    ] {
        assert_eq!(name(given), expected, "{given}");
    }
    assert_eq!(find("AtCapacty"), Found::Near("AtCapacity"));
    assert_eq!(find("quux"), Found::Nothing);
    assert_eq!(find(""), Found::Nothing);
}

#[test]
fn texts_are_found_exactly_and_inside_of_longer_lines() {
    for (given, expected) in [
        ("pty pool is at capacity (10)", "AtCapacity"),
        ("HTTP error: connect: timed out", "HttpError"),
        ("http error", "HttpError"),
        ("API error (status 404): not found: model x", "ApiError"),
        ("request timed out", "Timeout"),
        (
            "2026-11-29T22:00:00Z  WARN tundra::gateway: an attempt failed profile=a error=rate limited: retry after 9s",
            "RateLimited",
        ),
        (
            "rate limit exceeded for key 'claude' – retry after 1m5s",
            "RateLimitExceeded",
        ),
        (
            "no provider can take this request: a: circuit is open – refusing call (soonest retry in 12s)",
            "NothingLeft",
        ),
        (
            "config error: config.toml:12: profile[0].rate_limit_rpm: must be at least 1",
            "ConfigError",
        ),
        ("tundra: pty handle not found: nosuch", "HandleNotFound"),
        ("circuit is open - refusing call", "CircuitOpen"),
        (
            "/usr/bin/true is no tundra that can take over: it does not say so when asked",
            "NotUpgraded",
        ),
        (
            "tundra is already running here with pid 5",
            "AlreadyRunning",
        ),
        ("requests from this origin are not allowed", "Forbidden"),
        (
            "this host is not served here: open http://127.0.0.1:3000",
            "Forbidden",
        ),
        (
            "transport error: the certificate of h:1 is not trusted; its fingerprint is X, and `tundra status` there tells the \
             right one",
            "CertificateUntrusted",
        ),
        ("transport error: connection reset", "TransportError"),
        ("circuit is open -- refusing call", "CircuitOpen"),
        ("circuit is open — refusing call", "CircuitOpen"),
        (
            "no tundra is running here: start one with `tundra` in a\nterminal, or without one with `tundra serve`",
            "NoInstance",
        ),
        ("pty I/O error: input/output error", "InputFull"),
        ("Too many open files (os error 24)", "TooManyOpenFiles"),
        ("EMFILE", "TooManyOpenFiles"),
        (
            "pty spawn failed: Too many open files (os error 24)",
            "SpawnFailed",
        ),
        ("accept: No space left on device (os error 28)", "DiskFull"),
        (
            "/etc/x: Permission denied (os error 13)",
            "PermissionDenied",
        ),
        ("Connection refused (os error 111)", "ConnectionFailed"),
        (
            "connection refused: 127.0.0.1:3306 (start it)",
            "ConnectionRefused",
        ),
        (
            "listen EADDRINUSE: address already in use 127.0.0.1:3000",
            "AddressInUse",
        ),
        (
            "this token is wrong, used or too old: tundra url prints a new address",
            "Unauthorized",
        ),
        ("[detached: taken over by pid 7]", "Detached"),
        (
            "prompt is too long: 210000 tokens > 200000 maximum",
            "ContextTooLong",
        ),
        ("410 Gone", "TerminalDead"),
        ("HTTP/1.1 503 Service Unavailable", "NothingLeft"),
        ("exit status 3", "NoInstance"),
        ("close code 4000", "SocketClosed"),
        ("4000", "SocketClosed"),
        ("port 3306 is MariaDB 10.11.6, not Dolt", "NotDolt"),
        (
            "budget reached for build: $2.00 of $2.00; tundra budget build --usd 5 raises it",
            "BudgetReached",
        ),
        (
            "address already in use: 127.0.0.1:3000 (held by pid 123 node)",
            "AddressInUse",
        ),
    ] {
        assert_eq!(name(given), expected, "{given}");
    }
}

#[test]
fn a_word_of_ours_in_somebody_elses_sentence_is_not_ours() {
    for told in [
        "the feature is disabled here",
        "a database of films",
        "it is so since yesterday",
        "429 apples and 3 pears were sold in this shop today",
    ] {
        assert_eq!(find(told), Found::Nothing, "{told}");
    }
}

#[test]
fn every_reason_to_skip_a_profile_is_explained() {
    let profile = Profile::new("p", ProviderKind::Anthropic);
    let (now, until) = (
        Moment::from_nanos(0),
        Moment::from_nanos(0).after(Duration::from_secs(9)),
    );
    let cause = CoolingCause::RateLimit;
    let reasons = [
        Skip::Disabled,
        Skip::NoKey,
        Skip::NeedsLogin,
        Skip::NeedsConsent,
        Skip::UsedUp { until },
        Skip::Unreachable,
        Skip::Unsupported(Lack::Dialect(Dialect::Chat)),
        Skip::Starting,
        Skip::Down,
        Skip::Held { until },
        Skip::Rejected {
            until,
            billing: false,
        },
        Skip::Rejected {
            until,
            billing: true,
        },
        Skip::Exhausted { until },
        Skip::Cooling { until, cause },
        Skip::Cooling {
            until,
            cause: CoolingCause::Overload,
        },
        Skip::Open { retry_at: None },
        Skip::Probing { until },
        Skip::NoRoom { until },
        Skip::Tried,
    ];
    for skip in reasons {
        let text = skip.text(&profile, now);
        assert!(by_text(&text).is_some(), "{text}");
        assert!(by_code(skip.as_str()).is_some(), "{}", skip.as_str());
        // A reason that is added is added above.
        match skip {
            Skip::Disabled
            | Skip::NoKey
            | Skip::NeedsLogin
            | Skip::NeedsConsent
            | Skip::UsedUp { .. }
            | Skip::Unreachable
            | Skip::Unsupported(_)
            | Skip::Starting
            | Skip::Down
            | Skip::Held { .. }
            | Skip::Rejected { .. }
            | Skip::Exhausted { .. }
            | Skip::Cooling { .. }
            | Skip::Open { .. }
            | Skip::Probing { .. }
            | Skip::NoRoom { .. }
            | Skip::Tried => {}
        }
    }
    let nothing = NothingLeft {
        profiles: Vec::new(),
        never: false,
        all_rate: false,
        retry_in: None,
        retry_after: None,
    };
    assert_eq!(name(&nothing.to_string()), "NothingLeft");
}
