use super::*;

fn wall() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn told(headers: &[(&str, &str)]) -> Windows {
    Windows::told(headers.iter().copied(), wall())
}

fn window(name: &str, used: f64, resets_at: Option<Timestamp>, status: Option<&str>) -> Window {
    Window {
        name: name.to_owned(),
        used,
        resets_at,
        status: status.map(str::to_owned),
    }
}

#[test]
fn anthropic_tells_any_window_by_name() {
    let windows = told(&[
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-reset", "1800000600"),
        (
            "anthropic-ratelimit-unified-representative-claim",
            "five_hour",
        ),
        ("anthropic-ratelimit-unified-7d_opus-utilization", "0.5"),
        ("anthropic-ratelimit-unified-7d-utilization", "0.12"),
        (
            "anthropic-ratelimit-unified-7d-reset",
            "2027-01-22T08:00:00Z",
        ),
        ("anthropic-ratelimit-unified-5h-status", "allowed_warning"),
        ("anthropic-ratelimit-unified-5h-reset", " 1800000600 "),
        ("anthropic-ratelimit-unified-5h-utilization", "0.73"),
        ("anthropic-ratelimit-unified-5h-surpassed-threshold", "0.5"),
        ("anthropic-ratelimit-unified-overage-status", "rejected"),
    ]);
    let week = "2027-01-22T08:00:00Z".parse().unwrap();
    let expected = Windows(vec![
        window("5h", 0.73, Some(at(600)), Some("allowed_warning")),
        window("7d", 0.12, Some(week), None),
        window("7d_opus", 0.5, None, None),
    ]);
    assert_eq!(windows, expected);
}

#[test]
fn chatgpt_names_a_window_by_its_minutes() {
    let windows = told(&[
        ("x-codex-primary-used-percent", "91"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-after-seconds", "600"),
        ("x-codex-secondary-used-percent", "12.5"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-at", "1800003600"),
        ("x-codex-secondary-reset-after-seconds", "1"),
    ]);
    let expected = Windows(vec![
        window("5h", 0.91, Some(at(600)), None),
        window("7d", 0.125, Some(at(3600)), None),
    ]);
    assert_eq!(windows, expected);
    let odd = told(&[
        ("x-codex-primary-used-percent", "1"),
        ("x-codex-primary-window-minutes", "299"),
    ]);
    assert_eq!(odd, Windows(vec![window("299m", 0.01, None, None)]));
}

#[test]
fn what_cannot_be_a_window_is_none() {
    let windows = told(&[
        ("anthropic-ratelimit-unified-5h-utilization", "much"),
        ("anthropic-ratelimit-unified-7d-utilization", "-0.1"),
        ("anthropic-ratelimit-unified-a b-utilization", "0.1"),
        ("anthropic-ratelimit-unified-1d-utilization", "NaN"),
        ("anthropic-ratelimit-unified--utilization", "0.1"),
        ("anthropic-ratelimit-unified-3d-reset", "1800000600"),
        ("x-codex-primary-used-percent", "5"),
        ("x-codex-secondary-window-minutes", "0"),
        ("x-codex-secondary-used-percent", "5"),
    ]);
    assert!(windows.is_empty(), "{windows:?}");
}

#[test]
fn newer_words_replace_older_ones_and_a_window_that_begins_anew_is_gone() {
    let mut windows = Windows::of([
        window("5h", 0.9, Some(at(10)), None),
        window("7d", 0.2, Some(at(1000)), None),
    ]);
    windows.learn(told(&[(
        "anthropic-ratelimit-unified-7d-utilization",
        "0.3",
    )]));
    let live = |windows: &Windows, wall| {
        let live = windows
            .live(wall)
            .map(|window| (window.name.clone(), window.used));
        live.collect::<Vec<_>>()
    };
    assert_eq!(
        live(&windows, at(9)),
        [("5h".to_owned(), 0.9), ("7d".to_owned(), 0.3)]
    );
    assert_eq!(live(&windows, at(10)), [("7d".to_owned(), 0.3)]);
    windows.expire(at(10));
    assert_eq!(live(&windows, at(0)), [("7d".to_owned(), 0.3)]);
}

#[test]
fn more_windows_than_any_vendor_has_are_not_kept() {
    let windows = (0..100).map(|number| window(&format!("{number}h"), 0.1, None, None));
    assert_eq!(Windows::of(windows).live(wall()).count(), MOST_WINDOWS);
}

fn used_up(headers: &[(&str, &str)], body: &str, model: &str) -> Option<UsedUp> {
    let header = |name: &str| {
        let mut found = headers.iter().filter(|(given, _)| *given == name);
        found.next().map(|(_, value)| *value)
    };
    UsedUp::told(header, body.as_bytes(), model, wall())
}

#[test]
fn a_rejected_plan_is_used_up_until_its_reset() {
    let rejected = ("anthropic-ratelimit-unified-status", "rejected");
    let reset = ("anthropic-ratelimit-unified-reset", "1800000600");
    let whole = |until| {
        Some(UsedUp {
            until,
            family: None,
        })
    };
    assert_eq!(used_up(&[rejected, reset], "{}", "m"), whole(at(600)));
    assert_eq!(used_up(&[rejected], "{}", "m"), whole(at(3600)));
    let far = ("anthropic-ratelimit-unified-reset", "9999999999");
    assert_eq!(
        used_up(&[rejected, far], "{}", "m"),
        whole(at(40 * 24 * 3600))
    );
    let allowed = ("anthropic-ratelimit-unified-status", "allowed");
    let overage = ("anthropic-ratelimit-unified-overage-status", "rejected");
    assert_eq!(used_up(&[allowed, overage, reset], "{}", "m"), None);
    assert_eq!(
        used_up(&[], r#"{"error":{"type":"rate_limit_error"}}"#, "m"),
        None
    );
    assert_eq!(used_up(&[], "no json", "m"), None);
}

#[test]
fn a_window_of_one_model_takes_that_model_out_alone() {
    let rejected = ("anthropic-ratelimit-unified-status", "rejected");
    let claim = (
        "anthropic-ratelimit-unified-representative-claim",
        "seven_day_opus",
    );
    let opus = used_up(&[rejected, claim], "", "claude-opus-4-5").unwrap();
    assert_eq!(opus.family.as_deref(), Some("opus"));
    assert!(opus.concerns("claude-opus-4-1", at(3599)));
    assert!(!opus.concerns("claude-opus-4-1", at(3600)));
    assert!(!opus.concerns("claude-sonnet-4-5", wall()));
    let sonnet = used_up(&[rejected, claim], "", "claude-sonnet-4-5").unwrap();
    assert_eq!(sonnet.family, None);
    let hours = (
        "anthropic-ratelimit-unified-representative-claim",
        "five_hour",
    );
    let whole = used_up(&[rejected, hours], "", "claude-opus-4-5").unwrap();
    assert!(whole.concerns("claude-sonnet-4-5", wall()));
}

#[test]
fn a_usage_limit_tells_its_time_in_the_body() {
    let whole = |until| {
        Some(UsedUp {
            until,
            family: None,
        })
    };
    let dated =
        r#"{"error":{"type":"usage_limit_reached","resets_at":1800000060,"resets_in_seconds":5}}"#;
    assert_eq!(used_up(&[], dated, "m"), whole(at(60)));
    let span = r#"{"error":{"code":"usage_limit_reached","resets_in_seconds":5}}"#;
    assert_eq!(used_up(&[], span, "m"), whole(at(5)));
    let untold = r#"{"error":{"type":"usage_limit_reached"}}"#;
    assert_eq!(used_up(&[], untold, "m"), whole(at(3600)));
}

#[test]
fn what_is_used_is_told_in_whole_percents() {
    let percent = |used| window("5h", used, None, None).percent();
    assert_eq!([0.0, 0.734, 0.736, 1.2].map(percent), [0, 73, 74, 120]);
}

#[test]
fn shorter_windows_come_first_and_what_is_no_length_of_time_last() {
    let names = [
        "10d", "7d_opus", "monthly", "7d", "1d", "5h", "299m", "30m", "daily",
    ];
    let windows = Windows::of(names.map(|name| window(name, 0.1, None, None)));
    let order: Vec<&str> = windows
        .live(wall())
        .map(|window| window.name.as_str())
        .collect();
    let expected = [
        "30m", "299m", "5h", "1d", "7d", "7d_opus", "10d", "daily", "monthly",
    ];
    assert_eq!(order, expected);
}

#[test]
fn whole_days_are_days_and_whole_hours_are_hours() {
    let name = |minutes| {
        let headers = [
            ("x-codex-primary-used-percent", "1"),
            ("x-codex-primary-window-minutes", minutes),
        ];
        told(&headers).0.remove(0).name
    };
    assert_eq!(["420", "1440", "90"].map(name), ["7h", "1d", "90m"]);
}

#[test]
fn a_claim_that_names_no_family_is_about_the_whole_plan() {
    let rejected = ("anthropic-ratelimit-unified-status", "rejected");
    for claim in ["seven_day_4-5", "seven_day_us", "opus"] {
        let claim = ("anthropic-ratelimit-unified-representative-claim", claim);
        let told = used_up(&[rejected, claim], "", "claude-opus-us-4-5").unwrap();
        assert_eq!(told.family, None, "{claim:?}");
    }
}

#[test]
fn what_is_used_beyond_a_plan_is_shown_once_there_is_some() {
    let window = |name: &str, used| Window {
        name: name.to_owned(),
        used,
        resets_at: None,
        status: None,
    };
    assert!(!window("overage", 0.0).is_shown());
    assert!(window("overage", 0.01).is_shown());
    assert!(window("5h", 0.0).is_shown());
}
