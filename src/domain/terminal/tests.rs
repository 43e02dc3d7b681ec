use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn terminal(owner: Owner) -> TerminalInfo {
    TerminalInfo {
        id: TerminalId::random(),
        name: "sh".to_owned(),
        named: false,
        command: vec!["sh".to_owned()],
        cwd: "/".into(),
        pid: 1,
        size: Size::clamped(80, 24),
        title: String::new(),
        status: Status::Active,
        owner,
        persistent: false,
        viewers: 0,
        taken: false,
        ending: false,
        created_at: at(0),
        disconnected_since: None,
        exit: None,
        agent: None,
    }
}

fn settled(terminal: &mut TerminalInfo, viewers: u32, second: i64) -> (Status, Option<Timestamp>) {
    terminal.viewers = viewers;
    terminal.settle(at(second));
    (terminal.status, terminal.disconnected_since)
}

#[test]
fn one_opened_over_the_network_is_disconnected_since_its_last_viewer_left() {
    let mut remote = terminal(Owner::Remote);
    let since = |second| (Status::Disconnected, Some(at(second)));
    assert_eq!(settled(&mut remote, 0, 1), since(1));
    assert_eq!(settled(&mut remote, 0, 2), since(1), "still");
    assert_eq!(settled(&mut remote, 1, 3), (Status::Active, None));
    assert_eq!(settled(&mut remote, 0, 4), since(4));
}

#[test]
fn the_others_are_active_whoever_watches_and_the_dead_stay_dead() {
    for owner in [Owner::Front, Owner::Local] {
        let mut other = terminal(owner);
        assert_eq!(settled(&mut other, 0, 1), (Status::Active, None));
    }
    let mut dead = terminal(Owner::Remote);
    dead.status = Status::Dead;
    assert_eq!(settled(&mut dead, 0, 1), (Status::Dead, None));
}

#[test]
fn owners_and_states_have_the_names_of_the_interface() {
    let owners = [Owner::Front, Owner::Local, Owner::Remote];
    assert_eq!(owners.map(Owner::name), ["front", "local", "remote"]);
    let states = [Status::Active, Status::Disconnected, Status::Dead];
    assert_eq!(states.map(Status::name), ["active", "disconnected", "dead"]);
}

#[test]
fn a_name_can_be_seen_and_has_an_end() {
    assert_eq!(check_name("build 1"), Ok(()));
    for unseen in ["", "  ", "a\nb", "\x1b[31m"] {
        assert_eq!(check_name(unseen), Err(NameError::Unseen), "{unseen:?}");
    }
    assert_eq!(check_name(&"ü".repeat(MAX_NAME)), Ok(()));
    let long = "ü".repeat(MAX_NAME + 1);
    assert_eq!(check_name(&long), Err(NameError::Long));
}

#[test]
fn the_living_fit_before_the_dead_and_a_name_before_the_beginning_of_an_id() {
    let all = [
        ("dead prefixed", false, true, false),
        ("dead named", true, false, false),
        ("prefixed", false, true, true),
        ("named", true, false, true),
        ("both", true, true, true),
        ("neither", false, false, true),
    ];
    let best = |without: &[&str]| {
        let all = all.iter().filter(|(name, ..)| !without.contains(name));
        let fits = best_fits(all, |(_, is_named, is_prefixed, lives)| Fit {
            is_named: *is_named,
            is_prefixed: *is_prefixed,
            lives: *lives,
        });
        fits.iter().map(|(name, ..)| *name).collect::<Vec<_>>()
    };
    assert_eq!(best(&[]), ["named", "both"]);
    assert_eq!(best(&["named", "both"]), ["prefixed"]);
    let living = ["named", "both", "prefixed"];
    assert_eq!(best(&living), ["dead named"]);
    let but_one = [&living[..], &["dead named"]].concat();
    assert_eq!(best(&but_one), ["dead prefixed"]);
    let all_that_fit = [&but_one[..], &["dead prefixed"]].concat();
    assert_eq!(best(&all_that_fit), [""; 0]);
}
