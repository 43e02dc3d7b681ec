use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn id(number: u8) -> LoginId {
    LoginId::from_hash([number; 16])
}

fn claude() -> ProfileName {
    ProfileName::from("claude-login")
}

fn used_up(until: i64) -> UsedUp {
    UsedUp {
        until: at(until),
        family: None,
    }
}

fn window(name: &str, used: f64, resets: i64) -> Window {
    Window {
        name: name.to_owned(),
        used,
        resets_at: Some(at(resets)),
        status: None,
    }
}

#[test]
fn a_used_up_plan_is_that_logins_alone_and_until_its_reset() {
    let mut plans = Plans::default();
    plans.see(id(1), &claude());
    plans.see(id(2), &claude());
    plans.use_up(id(1), &claude(), used_up(60), at(0));
    let standing = |plans: &Plans, login, second| plans.standing(login, "m", at(second)).used_up;
    assert_eq!(standing(&plans, id(1), 59), Some(at(60)));
    assert_eq!(standing(&plans, id(1), 60), None);
    assert_eq!(standing(&plans, id(2), 0), None);
    assert_eq!(standing(&plans, id(3), 0), None);
    plans.serves(id(1), "m", at(10));
    assert_eq!(standing(&plans, id(1), 10), None);
}

#[test]
fn a_model_familys_window_leaves_the_other_models_alone() {
    let mut plans = Plans::default();
    let opus = UsedUp {
        until: at(60),
        family: Some("opus".to_owned()),
    };
    plans.use_up(id(1), &claude(), opus, at(0));
    plans.use_up(id(1), &claude(), used_up(30), at(0));
    let until = |plans: &Plans, model, second| plans.standing(id(1), model, at(second)).used_up;
    assert_eq!(until(&plans, "claude-opus-4", 0), Some(at(60)));
    assert_eq!(until(&plans, "claude-sonnet-4", 0), Some(at(30)));
    assert_eq!(until(&plans, "claude-sonnet-4", 30), None);
    plans.serves(id(1), "claude-sonnet-4", at(10));
    assert_eq!(until(&plans, "claude-sonnet-4", 10), None);
    assert_eq!(until(&plans, "claude-opus-4", 10), Some(at(60)));
}

#[test]
fn what_was_agreed_to_ends_with_the_reset_or_when_it_is_taken_back() {
    let mut plans = Plans::default();
    plans.use_up(id(1), &claude(), used_up(60), at(0));
    plans.see(id(2), &claude());
    assert!(plans.asks(&claude(), at(0)));
    plans.agree(&claude(), at(0));
    assert!(!plans.asks(&claude(), at(0)));
    assert!(plans.is_used_up(&claude(), at(0)), "agreed to, and used up");
    let agreed = |plans: &Plans, login, second| plans.standing(login, "m", at(second)).agreed;
    assert!(agreed(&plans, id(1), 59));
    assert!(!agreed(&plans, id(1), 60));
    assert!(!agreed(&plans, id(2), 0), "its plan has not ended");
    // Another success of that login changes nothing, and its own end is asked about anew.
    plans.serves(id(2), "m", at(1));
    assert!(!plans.asks(&claude(), at(1)) && plans.is_used_up(&claude(), at(1)));
    plans.use_up(id(2), &claude(), used_up(90), at(2));
    assert!(plans.asks(&claude(), at(2)));
    plans.agree(&claude(), at(2));
    assert!(agreed(&plans, id(1), 59) && agreed(&plans, id(2), 89));
    plans.disagree(Some(&ProfileName::from("other")));
    assert!(agreed(&plans, id(1), 0));
    plans.disagree(None);
    assert!(!agreed(&plans, id(1), 0));
    assert!(plans.asks(&claude(), at(0)));
    plans.reset(&claude());
    assert!(!plans.asks(&claude(), at(0)));
    assert!(!plans.is_used_up(&claude(), at(0)));
}

#[test]
fn a_window_is_warned_of_once_until_it_begins_anew() {
    let mut plans = Plans::default();
    let warned = |plans: &mut Plans, used, resets, now| {
        let windows = Windows::of([window("5h", used, resets)]);
        plans.learn(id(1), &claude(), windows, at(now)).len()
    };
    assert_eq!(warned(&mut plans, 0.79, 100, 0), 0);
    assert_eq!(warned(&mut plans, 0.8, 100, 1), 1);
    assert_eq!(warned(&mut plans, 0.9, 100, 2), 0);
    // The same window, whose end is told as seconds from now.
    assert_eq!(warned(&mut plans, 0.95, 101, 3), 0);
    assert_eq!(warned(&mut plans, 0.1, 300, 101), 0);
    assert_eq!(warned(&mut plans, 0.95, 300, 102), 1);
}

#[test]
fn windows_and_their_end_are_kept_over_a_restart_and_consent_is_not() {
    let mut plans = Plans::default();
    plans.see(id(1), &claude());
    let windows = Windows::of([window("5h", 0.9, 100), window("7d", 0.2, 1000)]);
    plans.learn(id(1), &claude(), windows, at(0));
    plans.use_up(id(1), &claude(), used_up(100), at(0));
    plans.agree(&claude(), at(0));
    let kept = plans.kept(at(0));
    let mut later = Plans::default();
    later.restore(kept.clone(), at(50));
    assert_eq!(later.kept(at(50)), kept);
    assert!(!later.was_seen(&claude()));
    assert!(!later.standing(id(1), "m", at(50)).agreed);
    assert_eq!(later.standing(id(1), "m", at(50)).used_up, Some(at(100)));
    let again = Windows::of([window("5h", 0.95, 100)]);
    assert!(later.learn(id(1), &claude(), again, at(51)).is_empty());
    assert_eq!(later.kept(at(100)).len(), 1);
    assert!(later.kept(at(1000)).is_empty());
    let status = later.status(&claude(), at(200));
    assert_eq!(status.windows, [window("7d", 0.2, 1000)]);
    assert_eq!((status.used_up, status.spills_until), (None, None));
}

#[test]
fn the_login_seen_last_is_the_one_shown_and_the_oldest_is_forgotten() {
    let mut plans = Plans::default();
    for number in 0..=u8::try_from(MOST_LOGINS).unwrap() {
        plans.see(id(number), &claude());
        let used = f64::from(number) / 1000.0;
        let windows = Windows::of([window("5h", used, 100)]);
        plans.learn(id(number), &claude(), windows, at(0));
    }
    let shown = plans.status(&claude(), at(0)).windows;
    assert_eq!(shown, [window("5h", 0.064, 100)]);
    assert_eq!(plans.kept(at(0)).len(), MOST_LOGINS);
    assert!(plans.kept(at(0)).iter().all(|kept| kept.login != id(0)));
}

#[test]
fn a_bare_429_cools_its_login_until_it_is_served_again() {
    let mut plans = Plans::default();
    plans.cool(id(1), &claude(), at(5));
    plans.cool(id(1), &claude(), at(3));
    assert_eq!(plans.standing(id(1), "m", at(4)).cooling, Some(at(5)));
    assert_eq!(plans.standing(id(1), "m", at(5)).cooling, None);
    assert_eq!(plans.standing(id(2), "m", at(4)).cooling, None);
    plans.serves(id(1), "m", at(4));
    assert_eq!(plans.standing(id(1), "m", at(4)).cooling, None);
}

#[test]
fn debugging_a_login_tells_nothing_of_it() {
    assert_eq!(format!("{:?}", id(7)), "LoginId(…)");
}

#[test]
fn whether_requests_may_cost_money_reads_back_from_its_name() {
    for (name, spill) in [
        ("ask", Spill::Ask),
        ("always", Spill::Always),
        ("never", Spill::Never),
    ] {
        assert_eq!(
            (spill.as_str(), Spill::from_name(name)),
            (name, Some(spill))
        );
    }
    assert_eq!(Spill::from_name("sometimes"), None);
    assert_eq!(Spill::default(), Spill::Ask);
}

#[test]
fn of_a_plan_whose_part_is_used_up_the_rest_goes_on() {
    let mut plans = Plans::default();
    let opus = UsedUp {
        until: at(90),
        family: Some("opus".to_owned()),
    };
    plans.use_up(id(1), &claude(), opus.clone(), at(0));
    let shown = |plans: &Plans, second| plans.status(&claude(), at(second));
    assert_eq!(shown(&plans, 1).used_up, Some(opus.clone()));
    assert_eq!(shown(&plans, 1).ends_wholly(), None);
    // There is something to agree to all the same.
    assert!(plans.asks(&claude(), at(1)));
    plans.use_up(id(1), &claude(), used_up(60), at(2));
    assert_eq!(shown(&plans, 2).ends_wholly(), Some(at(60)));
    assert_eq!(shown(&plans, 60).used_up, Some(opus));
}

#[test]
fn whose_login_came_last_is_shown_and_asked_for_over_a_restart_too() {
    let mut plans = Plans::default();
    let other = ProfileName::from("other");
    let learn = |plans: &mut Plans, login, profile: &ProfileName, used| {
        plans.see(login, profile);
        let windows = Windows::of([window("5h", used, 100)]);
        plans.learn(login, profile, windows, at(0));
    };
    learn(&mut plans, id(1), &claude(), 0.1);
    learn(&mut plans, id(2), &claude(), 0.2);
    learn(&mut plans, id(3), &other, 0.3);
    learn(&mut plans, id(1), &claude(), 0.1);
    assert!(plans.last_seen(&claude()) > plans.last_seen(&other));
    let mut later = Plans::default();
    later.restore(plans.kept(at(1)), at(1));
    for plans in [plans, later] {
        let shown = plans.status(&claude(), at(1)).windows;
        assert!((shown[0].used - 0.1).abs() < 0.001, "{shown:?}");
    }
}

#[test]
fn what_ends_now_has_ended() {
    let mut plans = Plans::default();
    plans.use_up(id(1), &claude(), used_up(60), at(0));
    plans.agree(&claude(), at(0));
    let seen = |second| {
        let status = plans.status(&claude(), at(second));
        (
            status.used_up.map(|used_up| used_up.until),
            status.spills_until,
            plans.kept(at(second)).len(),
        )
    };
    assert_eq!(seen(59), (Some(at(60)), Some(at(60)), 1));
    assert_eq!(seen(60), (None, None, 0));
    assert!(!plans.asks(&claude(), at(60)));
    // Agreed to for less long than the plan stays used up: there is something to ask again.
    plans.use_up(id(1), &claude(), used_up(200), at(61));
    assert!(plans.asks(&claude(), at(61)));
}

#[test]
fn a_newer_end_of_the_same_window_takes_the_olders_place() {
    let mut plans = Plans::default();
    plans.use_up(id(1), &claude(), used_up(60), at(0));
    plans.use_up(id(1), &claude(), used_up(30), at(1));
    assert_eq!(plans.standing(id(1), "m", at(1)).used_up, Some(at(30)));
}

#[test]
fn a_plan_keeps_eight_ends_and_has_room_again_once_they_have_passed() {
    let of_family = |family: u8, until| UsedUp {
        until: at(until),
        family: Some(format!("family{family}")),
    };
    let mut plans = Plans::default();
    for family in 0..9 {
        plans.use_up(id(1), &claude(), of_family(family, 60), at(0));
    }
    let families = |plans: &Plans, second| {
        let kept = plans.kept(at(second));
        let ends = kept.iter().flat_map(|plan| &plan.used_up);
        ends.map(|end| end.family.clone().unwrap_or_default())
            .collect::<Vec<_>>()
    };
    assert_eq!(families(&plans, 0).len(), MOST_USED_UP);
    plans.use_up(id(1), &claude(), of_family(9, 90), at(60));
    assert_eq!(families(&plans, 60), ["family9"]);
}

#[test]
fn the_login_that_came_last_is_shown_whatever_came_first() {
    let mut plans = Plans::default();
    let learn = |plans: &mut Plans, login, used| {
        plans.see(id(login), &claude());
        let windows = Windows::of([window("5h", used, 100)]);
        plans.learn(id(login), &claude(), windows, at(0));
    };
    assert!(!plans.was_seen(&claude()));
    learn(&mut plans, 1, 0.1);
    learn(&mut plans, 2, 0.2);
    assert!(plans.was_seen(&claude()));
    learn(&mut plans, 1, 0.3);
    let shown = plans.status(&claude(), at(0)).windows;
    assert_eq!(shown, [window("5h", 0.3, 100)]);
}

#[test]
fn a_login_belongs_to_the_profile_it_came_to_last() {
    let (mut plans, other) = (Plans::default(), ProfileName::from("other"));
    plans.see(id(1), &claude());
    plans.see(id(1), &other);
    assert!(plans.was_seen(&other));
    assert!(!plans.was_seen(&claude()));
}

#[test]
fn the_revision_rises_with_what_changes_and_stays_where_nothing_does() {
    let mut plans = Plans::default();
    let mut last = plans.revision();
    let mut rises = |plans: &Plans| {
        let before = std::mem::replace(&mut last, plans.revision());
        assert!(last >= before);
        last > before
    };
    let windows = || Windows::of([window("5h", 0.1, 100)]);
    plans.learn(id(1), &claude(), Windows::default(), at(0));
    assert!(!rises(&plans), "nothing was told");
    plans.learn(id(1), &claude(), windows(), at(0));
    assert!(rises(&plans), "a window was told");
    plans.use_up(id(1), &claude(), used_up(60), at(0));
    assert!(rises(&plans), "the plan is used up");
    plans.cool(id(1), &claude(), at(5));
    assert!(rises(&plans), "its login was told to wait");
    plans.serves(id(1), "m", at(1));
    assert!(rises(&plans), "it serves after all");
    plans.serves(id(1), "m", at(1));
    assert!(!rises(&plans), "it still serves");
    plans.agree(&claude(), at(1));
    assert!(!rises(&plans), "nothing is used up");
    plans.use_up(id(1), &claude(), used_up(60), at(1));
    assert!(rises(&plans), "it is used up again");
    plans.agree(&claude(), at(1));
    assert!(rises(&plans), "its user agreed");
    plans.disagree(None);
    assert!(rises(&plans), "and took it back");
    plans.disagree(None);
    assert!(!rises(&plans), "there was nothing to take back");
    plans.reset(&claude());
    assert!(rises(&plans), "somebody reset it");
}
