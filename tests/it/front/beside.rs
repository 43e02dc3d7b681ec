//! The command line beside a front end.

use super::{alive, list, pane_size, shell};
use crate::support::Home;
use crate::support::condition::eventually;

#[test]
fn a_new_terminal_beside_the_front_end_leaves_focus_and_layout() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let before = pane_size(&home, &mut terminal);
    let id = home
        .cli(&[
            "new",
            "--name",
            "beside",
            "--",
            "sh",
            "-c",
            "echo BESIDE; exec cat",
        ])
        .ok();
    terminal.wait_text("beside");
    assert!(
        !terminal.look(|screen| screen.has("BESIDE")),
        "its tab lies behind"
    );
    assert_eq!(pane_size(&home, &mut terminal), before);
    terminal.say("unmoved");
    let id = id.trim();
    home.cli(&["wait", id, "--text", "BESIDE"]).ok();
    terminal.command("n");
    terminal.wait_text("BESIDE");
}

#[test]
fn the_command_line_types_into_what_the_front_end_shows() {
    let home = Home::new();
    let terminal = shell(&home);
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    home.cli(&["send", &id, "--enter", "--", "echo from-\"\"outside"])
        .ok();
    terminal.wait_text("from-outside");
    let screen = home.cli(&["capture", &id]).ok();
    assert!(screen.contains("from-outside"));
}

#[test]
fn a_pane_on_the_screen_keeps_the_size_it_has_there() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let before = pane_size(&home, &mut terminal);
    let id = list(&home)[0]["id"].as_str().unwrap().to_owned();
    for size in ["200x60", "30x10"] {
        home.cli(&["resize", &id, size]).ok();
        eventually("the front end has set its size again", || {
            pane_size(&home, &mut terminal) == before
        });
    }
}

#[test]
fn killing_from_the_command_line_is_seen_in_the_front_end() {
    let home = Home::new();
    let mut terminal = shell(&home);
    terminal.say("survivor");
    terminal.command("|");
    eventually("two panes", || alive(&home) == 2);
    let id = list(&home)[1]["id"].as_str().unwrap().to_owned();
    home.cli(&["kill", &id]).ok();
    eventually("one pane is left", || alive(&home) == 1);
    let (_, cols) = pane_size(&home, &mut terminal);
    assert!(cols > 90, "{cols}");
}

#[test]
fn commands_typed_in_a_pane_reach_this_instance() {
    let home = Home::new();
    let mut terminal = shell(&home);
    let binary = crate::support::home::TUNDRA;
    terminal.type_(&format!(
        "{binary} rename $TUNDRA_TERMINAL_ID from-within\r"
    ));
    eventually("it has the name", || {
        list(&home)[0]["name"] == "from-within"
    });
}
