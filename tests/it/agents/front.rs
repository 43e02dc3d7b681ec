//! Agents beside a front end: what looking at one tells of it, and what of it is brought back.

use crate::support::{Home, Terminal, eventually};

fn shell(home: &Home) -> Terminal {
    let terminal = Terminal::tundra(home, &["--", "sh"]);
    terminal.wait_text("$");
    terminal
}

#[test]
fn a_question_is_not_answered_by_whoever_goes_there_to_read_it() {
    let home = Home::new();
    let mut terminal = shell(&home);
    // It tells what it is told of the focus (mode 1004).
    let asks = r"stty raw -echo; printf '\033[?1004h\033]9;may I?\007'; exec cat -v";
    let id = home
        .cli(&[
            "new", "--agent", "shell", "--name", "asks", "--", "sh", "-c", asks,
        ])
        .ok();
    let agent = || {
        let list = home.cli(&["ls", "--json"]).json();
        let list = list.as_array().unwrap();
        let asks = list.iter().find(|terminal| terminal["name"] == "asks");
        asks.unwrap()["agent"].clone()
    };
    let waits = || agent()["state"] == "waiting";
    eventually("it waits", waits);
    terminal.command("2");
    terminal.command("1");
    terminal.command("2");
    home.cli(&["wait", id.trim(), "--text", r"\^\[\[I", "--timeout", "20s"])
        .ok();
    assert!(waits());
    assert_eq!(agent()["message"], "may I?");
    terminal.type_("yes");
    eventually("it goes on", || !waits());
}

#[test]
fn a_budget_that_was_changed_is_brought_back_with_its_pane() {
    let home = Home::new();
    let _terminal = shell(&home);
    home.cli(&["new", "--name", "paid", "--budget-usd", "1", "--", "cat"])
        .ok();
    let kept = || {
        let session = std::fs::read_to_string(home.path().join("state/session.json"));
        let session: serde_json::Value = serde_json::from_str(&session.unwrap_or_default()).ok()?;
        let panes = session["panes"].as_array()?;
        let paid = panes.iter().find(|pane| pane["name"] == "paid")?;
        paid["budget_nanodollars"].as_u64()
    };
    eventually("its budget is kept", || kept() == Some(1_000_000_000));
    home.cli(&["budget", "paid", "--usd", "2.5"]).ok();
    eventually("the new one is", || kept() == Some(2_500_000_000));
    home.cli(&["budget", "paid", "--off"]).ok();
    eventually("and that there is none", || kept().is_none());
}

#[test]
fn a_script_that_is_an_agent_makes_none_of_every_shell() {
    let home = Home::with_config(
        "[[agent]]\nname = \"mine\"\ncommand = [\"sh\", \"-c\", \"exec cat\"]\nbudget_tokens = 5\n",
    );
    let _terminal = shell(&home);
    home.cli(&["new", "--agent", "mine"]).ok();
    let list = home.cli(&["ls", "--json"]).json();
    let kinds: Vec<_> = list.as_array().unwrap().iter().collect();
    let [plain, mine] = &kinds[..] else {
        panic!("{list}");
    };
    assert_eq!(
        (&plain["agent"], &plain["budget"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!(mine["agent"]["kind"], "mine");
    assert_eq!(mine["budget"]["tokens"], 5);
}
