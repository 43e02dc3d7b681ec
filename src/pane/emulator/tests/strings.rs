use super::super::EmulatorEvent;
use super::{Terminal, shows};

fn told(bytes: impl AsRef<[u8]>) -> Vec<EmulatorEvent> {
    Terminal::fed(bytes).events()
}

fn title(bytes: impl AsRef<[u8]>) -> String {
    Terminal::fed(bytes).snapshot().title.to_string()
}

#[test]
fn titles_are_set_and_told() {
    assert_eq!(
        told("\x1b]0;one\x07"),
        [EmulatorEvent::Title("one".to_owned())]
    );
    assert_eq!(
        told("\x1b]2;a;b;c\x1b\\"),
        [EmulatorEvent::Title("a;b;c".to_owned())]
    );
    assert_eq!(title("\x1b]2;vim – ü.rs\x07"), "vim – ü.rs");
    assert_eq!(title("\x1b]1;icon\x07"), "");
    assert_eq!(
        told("\x1b]2;a\x07\x1b]2;b\x07"),
        [EmulatorEvent::Title("b".to_owned())]
    );
}

#[test]
fn titles_hold_no_controls_and_have_a_limit() {
    assert_eq!(title("\x1b]2;a\u{202e}b\u{9b}c\td\x07"), "abcd");
    assert_eq!(title(format!("\x1b]2;{}\x07", "x".repeat(3000))).len(), 256);
    assert_eq!(title(format!("\x1b]2;{}\x07", "x".repeat(10_000))), "");
}

#[test]
fn titles_can_be_stacked() {
    assert_eq!(title("\x1b]2;a\x07\x1b[22;0t\x1b]2;b\x07\x1b[23;0t"), "a");
    assert_eq!(
        title("\x1b]2;a\x07\x1b[22t\x1b]2;b\x07\x1b[23;2t\x1b[23t"),
        "a"
    );
    assert_eq!(
        title(format!("{}\x1b]2;b\x07", "\x1b[22t".repeat(1000))),
        "b"
    );
}

#[test]
fn bells_ring_once_a_chunk() {
    assert_eq!(told("a\x07\x07b\x07"), [EmulatorEvent::Bell]);
}

#[test]
fn notifications_come_in_three_dialects() {
    let notification = |text: &str| vec![EmulatorEvent::Notification(text.to_owned())];
    assert_eq!(told("\x1b]9;done\x07"), notification("done"));
    assert_eq!(
        told("\x1b]777;notify;title;body\x07"),
        notification("title: body")
    );
    assert_eq!(told("\x1b]777;notify;title\x07"), notification("title"));
    assert_eq!(told("\x1b]99;;hello\x1b\\"), notification("hello"));
    assert_eq!(told("\x1b]99;i=1:e=1;aGk=\x1b\\"), notification("hi"));
    assert_eq!(
        told("\x1b]99;i=1:d=0;title\x1b\\\x1b]99;i=1:d=1:p=body;body\x1b\\"),
        notification("title body")
    );
    assert_eq!(told("\x1b]99;i=1:p=?;\x1b\\"), []);
}

#[test]
fn progress_is_no_notification() {
    assert_eq!(told("\x1b]9;4;1;50\x07"), [EmulatorEvent::Progress(1)]);
    assert_eq!(told("\x1b]9;4;0\x07"), [EmulatorEvent::Progress(0)]);
    assert_eq!(
        told("\x1b]9;4 files\x07"),
        [EmulatorEvent::Notification("4 files".to_owned())]
    );
}

#[test]
fn the_working_directory_is_decoded() {
    let cwd = |path: &str| vec![EmulatorEvent::WorkingDirectory(path.to_owned())];
    assert_eq!(told("\x1b]7;file://host/a%20b/%C3%BC\x07"), cwd("/a b/ü"));
    assert_eq!(told("\x1b]7;file:///tmp\x1b\\"), cwd("/tmp"));
    assert_eq!(told("\x1b]7;/tmp\x07"), []);
    assert_eq!(told("\x1b]7;file:///a%0ab\x07"), []);
    assert_eq!(told("\x1b]7;file:///%ff\x07"), []);
}

#[test]
fn prompts_are_marked() {
    let letters: Vec<EmulatorEvent> = "ABCD".chars().map(EmulatorEvent::PromptMark).collect();
    assert_eq!(
        told("\x1b]133;A\x07$ \x1b]133;B\x07ls\x1b]133;C;x=y\x07\x1b]133;D;0\x07"),
        letters
    );
    assert_eq!(told("\x1b]133;Z\x07\x1b]133\x07"), []);
}

#[test]
fn the_clipboard_is_written_and_never_read() {
    assert_eq!(
        told("\x1b]52;c;aGVsbG8=\x07"),
        [EmulatorEvent::Clipboard("hello".to_owned())]
    );
    assert_eq!(
        told("\x1b]52;;aGVsbG8\x1b\\"),
        [EmulatorEvent::Clipboard("hello".to_owned())]
    );
    let mut terminal = Terminal::fed("\x1b]52;c;?\x07\x1b]52;c;!!!\x07\x1b]52;c;\x07");
    assert_eq!(
        (terminal.replies(), terminal.events()),
        (String::new(), vec![])
    );
}

#[test]
fn the_clipboard_takes_a_hundred_kibibytes_and_no_more() {
    let write = |bytes: usize| told(format!("\x1b]52;c;{}\x07", "QUJD".repeat(bytes / 3)));
    assert_eq!(write(99 * 1024).len(), 1);
    assert_eq!(write(110 * 1024), []);
}

#[test]
fn strings_that_nobody_wants_are_swallowed() {
    assert_eq!(shows("a\x1b_Gf=32;AAAA\x1b\\b"), "ab");
    assert_eq!(shows("a\x1b^private\x1b\\b\x1bXstart\x1b\\c"), "abc");
    assert_eq!(shows("a\x1bP1;2q#0;2;0;0;0~~\x1b\\b"), "ab");
    assert_eq!(shows("a\x1b]1337;File=x:AAAA\x07b"), "ab");
    assert_eq!(shows("a\x1b_a\x07b\x1b\\c"), "ac");
}

#[test]
fn a_string_ends_at_cancel_and_at_the_next_sequence() {
    assert_eq!(shows("a\x1b]0;title\x18b"), "ab");
    assert_eq!(shows("a\x1b]0;title\x1b[1Cb"), "a b");
    assert_eq!(title("\x1b]0;title\x1b[1Cb"), "");
}

#[test]
fn strings_without_end_cost_neither_memory_nor_the_next_text() {
    let chunk = vec![b'x'; 1 << 20];
    for opening in ["\x1b]0;", "\x1b]52;c;", "\x1bP+q", "\x1b_G", "\x1b]8;;"] {
        let mut terminal = Terminal::fed(opening);
        for _ in 0..50 {
            terminal.feed(&chunk);
        }
        terminal.feed("\x1b\\after");
        assert_eq!(
            (terminal.text(), terminal.events()),
            ("after".to_owned(), vec![]),
            "{opening:?}"
        );
    }
}

#[test]
fn a_flood_of_events_is_cut() {
    assert!(told("\x1b]9;x\x07".repeat(10_000)).len() <= 256);
    assert_eq!(told("\x1b]2;a\x07\x07".repeat(10_000)).len(), 2);
}
