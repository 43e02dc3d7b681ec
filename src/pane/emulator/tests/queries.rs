use super::Terminal;
use crate::domain::screen::Backdrop;
use crate::pane::backdrop::SharedBackdrop;

/// What a terminal of 10 by 4 cells answers, with `^[` for escape.
fn answer(bytes: impl AsRef<[u8]>) -> String {
    Terminal::fed(bytes).replies()
}

#[test]
fn the_terminal_tells_what_it_is() {
    assert_eq!(answer("\x1b[c"), "^[[?62;6;22;52c");
    assert_eq!(answer("\x1b[0c\x1bZ"), "^[[?62;6;22;52c^[[?62;6;22;52c");
    assert_eq!(answer("\x1b[>c"), "^[[>1;277;0c");
    assert_eq!(answer("\x1b[=c"), "^[P!|00000000^[\\");
    assert_eq!(
        answer("\x1b[>q"),
        format!("^[P>|tundra {}^[\\", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(
        answer("\x1b[x\x1b[1x"),
        "^[[2;1;1;128;128;1;0x^[[3;1;1;128;128;1;0x"
    );
    assert_eq!(answer("\x1b[1c\x1b[>1c"), "");
}

#[test]
fn status_and_cursor_are_those_of_that_very_byte() {
    assert_eq!(answer("\x1b[5n"), "^[[0n");
    assert_eq!(answer("ab\x1b[6nc\x1b[6n"), "^[[1;3R^[[1;4R");
    assert_eq!(answer("\x1b[2;3H\x1b[?6n"), "^[[?2;3;1R");
    assert_eq!(answer("0123456789\x1b[6n"), "^[[1;10R");
    assert_eq!(
        answer("\x1b[?15n\x1b[?25n\x1b[?26n"),
        "^[[?13n^[[?20n^[[?27;1;0;0n"
    );
}

#[test]
fn the_cursor_is_reported_right_while_lines_flood() {
    assert_eq!(
        answer(format!("{}abc\x1b[6n", "line\r\n".repeat(100))),
        "^[[4;4R"
    );
    assert_eq!(
        answer(format!("{}a\tb\x1b[6n", "line\r\n".repeat(100))),
        "^[[4;10R"
    );
}

#[test]
fn modes_are_reported() {
    assert_eq!(
        answer("\x1b[?25$p\x1b[?25l\x1b[?25$p"),
        "^[[?25;1$y^[[?25;2$y"
    );
    assert_eq!(
        answer("\x1b[?2026$p\x1b[?2026h\x1b[?2026$p"),
        "^[[?2026;2$y^[[?2026;1$y"
    );
    assert_eq!(
        answer("\x1b[?7$p\x1b[?1049$p\x1b[?2004$p"),
        "^[[?7;1$y^[[?1049;2$y^[[?2004;2$y"
    );
    assert_eq!(
        answer("\x1b[4h\x1b[4$p\x1b[20$p\x1b[99$p"),
        "^[[4;1$y^[[20;2$y^[[99;0$y"
    );
    assert_eq!(
        answer("\x1b[?2027$p\x1b[?31337$p"),
        "^[[?2027;0$y^[[?31337;0$y"
    );
}

#[test]
fn keyboard_protocols_are_reported() {
    assert_eq!(answer("\x1b[?u\x1b[>5u\x1b[?u"), "^[[?0u^[[?5u");
    assert_eq!(answer("\x1b[>4;2m\x1b[?4m"), "^[[>4;2m");
}

#[test]
fn colours_are_answered_in_the_manner_of_the_question() {
    assert_eq!(answer("\x1b]11;?\x07"), "^[]11;rgb:0000/0000/0000\x07");
    assert_eq!(answer("\x1b]10;?\x1b\\"), "^[]10;rgb:e5e5/e5e5/e5e5^[\\");
    assert_eq!(answer("\x1b]4;1;?\x07"), "^[]4;1;rgb:cdcd/0000/0000\x07");
    assert_eq!(
        answer("\x1b]4;1;?;16;?\x07"),
        "^[]4;1;rgb:cdcd/0000/0000\x07^[]4;16;rgb:0000/0000/0000\x07"
    );
    assert_eq!(
        answer("\x1b]4;231;?\x07\x1b]4;255;?\x07"),
        "^[]4;231;rgb:ffff/ffff/ffff\x07^[]4;255;rgb:eeee/eeee/eeee\x07"
    );
    assert_eq!(
        answer("\x1b]10;?;?\x07"),
        "^[]10;rgb:e5e5/e5e5/e5e5\x07^[]11;rgb:0000/0000/0000\x07"
    );
}

#[test]
fn what_the_terminal_is_drawn_on_is_answered_and_outlives_a_reset() {
    let backdrop = SharedBackdrop::default();
    let mut terminal = Terminal::new(10, 4);
    terminal.emulator.set_backdrop(backdrop.clone());
    assert_eq!(terminal.feed("\x1b[?996n").replies(), "^[[?997;1n");
    backdrop.set(Backdrop::on([0xfd, 0xf6, 0xe3]));
    let light = "^[]10;rgb:0000/0000/0000\x07^[]11;rgb:fdfd/f6f6/e3e3\x07^[[?997;2n";
    let asked = "\x1b]10;?\x07\x1b]11;?\x07\x1b[?996n";
    assert_eq!(terminal.feed(asked).replies(), light);
    terminal.feed("\x1b]11;#000\x07");
    assert_eq!(terminal.feed("\x1b[?996n").replies(), "^[[?997;1n");
    assert_eq!(terminal.feed("\x1bc").feed(asked).replies(), light);
}

#[test]
fn colours_that_were_set_are_answered_until_reset() {
    assert_eq!(
        answer("\x1b]11;rgb:12/34/56\x07\x1b]11;?\x07"),
        "^[]11;rgb:1212/3434/5656\x07"
    );
    assert_eq!(
        answer("\x1b]12;#abcdef\x07\x1b]12;?\x07"),
        "^[]12;rgb:abab/cdcd/efef\x07"
    );
    assert_eq!(
        answer("\x1b]4;1;rgb:ffff/0/f\x07\x1b]4;1;?\x07"),
        "^[]4;1;rgb:ffff/0000/ffff\x07"
    );
    assert_eq!(
        answer("\x1b]11;#fff\x07\x1b]111\x07\x1b]11;?\x07"),
        "^[]11;rgb:0000/0000/0000\x07"
    );
    assert_eq!(
        answer("\x1b]4;1;#fff\x07\x1b]104;1\x07\x1b]4;1;?\x07"),
        "^[]4;1;rgb:cdcd/0000/0000\x07"
    );
    assert_eq!(
        answer("\x1b]4;1;#fff\x07\x1b]104\x07\x1b]4;1;?\x07"),
        "^[]4;1;rgb:cdcd/0000/0000\x07"
    );
    assert_eq!(answer("\x1b]11;nonsense\x07\x1b]4;999;?\x07"), "");
}

#[test]
fn sizes_are_reported_in_cells_and_pixels() {
    assert_eq!(answer("\x1b[18t"), "^[[8;4;10t");
    assert_eq!(answer("\x1b[19t"), "^[[9;4;10t");
    assert_eq!(answer("\x1b[14t"), "^[[4;64;80t");
    assert_eq!(answer("\x1b[16t"), "^[[6;16;8t");
}

#[test]
fn what_a_program_has_written_is_never_sent_back() {
    assert_eq!(answer("\x1b]2;evil\x07\x1b[21t\x1b[20t"), "");
    assert_eq!(answer("\x1bP$q\x1b[31mx\x1b\\"), "");
}

#[test]
fn settings_are_reported() {
    let setting = |bytes: &str, name: &str| answer(format!("{bytes}\x1bP$q{name}\x1b\\"));
    assert_eq!(setting("", "m"), "^[P1$r0m^[\\");
    assert_eq!(
        setting("\x1b[1;4:3;31;48;2;1;2;3;58:5:9m", "m"),
        "^[P1$r0;1;4:3;31;48:2::1:2:3;58:5:9m^[\\"
    );
    assert_eq!(setting("\x1b[2;3r", "r"), "^[P1$r2;3r^[\\");
    assert_eq!(setting("\x1b[?69h\x1b[2;3s", "s"), "^[P1$r2;3s^[\\");
    assert_eq!(setting("\x1b[5 q", " q"), "^[P1$r5 q^[\\");
    assert_eq!(setting("\x1b[1\"q", "\"q"), "^[P1$r1\"q^[\\");
    assert_eq!(setting("", "nonsense"), "^[P0$r^[\\");
}

#[test]
fn capabilities_are_told_or_refused() {
    assert_eq!(
        answer("\x1bP+q544e\x1b\\"),
        "^[P1+r544e=787465726D2D323536636F6C6F72^[\\"
    );
    assert_eq!(
        answer("\x1bP+q436f;524742\x1b\\"),
        "^[P1+r436f=323536^[\\^[P1+r524742=382F382F38^[\\"
    );
    assert_eq!(answer("\x1bP+q4d73\x1b\\"), "^[P0+r4d73^[\\");
    assert_eq!(answer("\x1bP+qzz\x1b\\"), "^[P0+r^[\\");
}

#[test]
fn a_flood_of_queries_is_answered_in_part() {
    let terminal = Terminal::fed("\x1b[c".repeat(100_000));
    assert!(terminal.feedback.replies.len() < 65 * 1024);
}
