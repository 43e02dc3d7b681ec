use std::collections::HashMap;

use super::*;

/// 29 September 2023, 16:26:37 UTC.
fn wall() -> Timestamp {
    "2023-09-29T16:26:37Z".parse().expect("a date")
}

fn wait(headers: &[(&str, &str)]) -> Option<Duration> {
    let headers: HashMap<_, _> = headers.iter().copied().collect();
    asked_wait(|name| headers.get(name).copied(), wall())
}

fn after(text: &str) -> Option<f64> {
    wait(&[("retry-after", text)]).map(|wait| wait.as_secs_f64())
}

#[test]
fn retry_after_is_read_in_all_its_forms() {
    let day = LONGEST.as_secs_f64();
    let table = [
        ("3", Some(3.0)),
        (" 60 ", Some(60.0)),
        ("1.5", Some(1.5)),
        ("61", Some(61.0)),
        ("86400", Some(day)),
        ("86401", Some(day)),
        ("99999999999999999999999999999999999", Some(day)),
        ("0", Some(1.0)),
        ("0.2", Some(0.2)),
        ("-10", None),
        ("", None),
        ("NaN", None),
        ("inf", None),
        ("1e3", None),
        ("soon", None),
        ("0x10", None),
        // The three forms of a date, 20 seconds ahead.
        ("Fri, 29 Sep 2023 16:26:57 GMT", Some(20.0)),
        ("Friday, 29-Sep-23 16:26:57 GMT", Some(20.0)),
        ("Fri Sep 29 16:26:57 2023", Some(20.0)),
        ("Fri Sep  1 16:26:57 2023", Some(1.0)),
        // Now, and past.
        ("Fri, 29 Sep 2023 16:26:37 GMT", Some(1.0)),
        ("Fri, 29 Sep 2023 16:26:27 GMT", Some(1.0)),
        ("Fri, 29 Sep 2023 16:27:38 GMT", Some(61.0)),
        ("Mon, 29 Sep 2053 16:26:27 GMT", Some(day)),
        // No such day, a weekday that is not the date's, another zone.
        ("Zun, 29 Sep 2023 16:26:27 GMT", None),
        ("Mon, 29 Sep 2023 16:26:57 GMT", None),
        ("Fri, 31 Sep 2023 16:26:57 GMT", None),
        ("Fri, 29 Sep 2023 16:26:57 CET", None),
        ("29 Sep 2023", None),
    ];
    for (text, expected) in table {
        assert_eq!(after(text), expected, "{text:?}");
    }
}

#[test]
fn milliseconds_come_before_seconds_and_those_before_resets() {
    let all = [
        ("retry-after-ms", "1500"),
        ("retry-after", "7"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "9s"),
    ];
    assert_eq!(wait(&all), Some(Duration::from_millis(1500)));
    assert_eq!(wait(&all[1..]), Some(Duration::from_secs(7)));
    assert_eq!(wait(&all[2..]), Some(Duration::from_secs(9)));
    assert_eq!(wait(&[]), None);
    let unreadable = [("retry-after-ms", "-1"), ("retry-after", "7")];
    assert_eq!(wait(&unreadable), Some(Duration::from_secs(7)));
}

#[test]
fn a_date_counts_from_the_responses_own_clock() {
    let headers = [
        ("date", "Fri, 29 Sep 2023 18:00:00 GMT"),
        ("retry-after", "Fri, 29 Sep 2023 18:00:30 GMT"),
    ];
    assert_eq!(wait(&headers), Some(Duration::from_secs(30)));
}

#[test]
fn a_reset_counts_only_for_a_limit_that_is_used_up() {
    let headers = [
        ("anthropic-ratelimit-requests-remaining", "12"),
        ("anthropic-ratelimit-requests-reset", "2023-09-29T17:26:37Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        (
            "anthropic-ratelimit-input-tokens-reset",
            "2023-09-29T16:27:07Z",
        ),
    ];
    assert_eq!(wait(&headers), Some(Duration::from_secs(30)));
    assert_eq!(wait(&headers[..2]), None);
    let spans = [
        ("12ms", Some(0.012)),
        ("6m0s", Some(360.0)),
        ("1h2m3.5s", Some(3723.5)),
        ("1d", Some(86_400.0)),
        ("17", Some(1.0)),
        ("1696004827000", Some(30.0)),
        ("6q", None),
        ("m", None),
        ("", None),
    ];
    for (text, expected) in spans {
        let headers = [
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", text),
        ];
        let read = wait(&headers).map(|wait| wait.as_secs_f64());
        assert_eq!(read, expected, "{text:?}");
    }
}

#[test]
fn the_least_of_what_remains_is_taken() {
    let headers: HashMap<_, _> = [
        ("anthropic-ratelimit-requests-remaining", "49"),
        ("anthropic-ratelimit-input-tokens-remaining", "9000"),
        ("anthropic-ratelimit-output-tokens-remaining", "800"),
    ]
    .into();
    assert_eq!(
        remaining(|name| headers.get(name).copied()),
        Remaining {
            requests: Some(49),
            tokens: Some(800)
        }
    );
    // Azure's way of saying that it does not know.
    let unknown = remaining(|name| (name == "x-ratelimit-remaining-tokens").then_some("-1"));
    assert_eq!(unknown, Remaining::default());
}

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_secs(seconds))
}

#[test]
fn the_longest_of_several_cooldowns_holds() {
    let mut cooldown = Cooldown::default();
    cooldown.cool(at(60), CoolingCause::RateLimit);
    cooldown.cool(at(5), CoolingCause::Overload);
    let expected = Some(Cooling::Until(at(60), CoolingCause::RateLimit));
    assert_eq!(cooldown.check(at(59)), expected);
    assert_eq!(cooldown.left(at(59)), Some(Duration::from_secs(1)));
    assert_eq!(cooldown.check(at(60)), None);
    cooldown.cool(at(90), CoolingCause::Overload);
    cooldown.clear();
    assert_eq!(cooldown.check(at(61)), None);
}

#[test]
fn a_spent_budget_is_asked_for_once_an_hour_by_one_call() {
    let lease = Duration::from_secs(40);
    let mut cooldown = Cooldown::default();
    assert!(!cooldown.ask_again(at(0), lease));
    cooldown.exhaust(None, at(0));
    assert_eq!(cooldown.check(at(3599)), Some(Cooling::Exhausted(at(3600))));
    assert_eq!(cooldown.check(at(3600)), None);
    assert!(cooldown.ask_again(at(3600), lease));
    assert_eq!(cooldown.check(at(3601)), Some(Cooling::Exhausted(at(3640))));
    // It was given up: somebody else may ask.
    cooldown.asked(false);
    assert_eq!(cooldown.check(at(3601)), None);
    assert!(cooldown.is_exhausted());
    assert!(cooldown.ask_again(at(3601), lease));
    cooldown.exhaust(None, at(3602));
    assert_eq!(cooldown.check(at(7201)), Some(Cooling::Exhausted(at(7202))));
    assert!(cooldown.ask_again(at(7202), lease));
    cooldown.asked(true);
    assert!(!cooldown.is_exhausted());
    assert_eq!(cooldown.check(at(7203)), None);
}
