//! Every screen in every look at 80x24: dark, light, in 16 colours, without colours, and in ASCII.

use std::fmt::Write as _;

use super::*;
use crate::domain::check::Check;
use crate::domain::screen::{Attrs, ColorKind, Underline};
use crate::tui::frame::CursorAt;

const SIZE: (u16, u16) = (80, 24);

/// What each of them looks like in a terminal of its kind.
fn looks() -> [(&'static str, Theme); 5] {
    let utf8 = |more: &[(&str, &str)], choice| {
        let all = [&[("LANG", "C.UTF-8")], more].concat();
        let env = Environment::of(|name| {
            let pair = all.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        });
        Theme::detect(choice, UnicodeChoice::Auto, &env, None)
    };
    let full = [("TERM", "xterm-256color"), ("COLORTERM", "truecolor")];
    [
        ("dark", utf8(&full, ThemeChoice::Dark)),
        ("light", utf8(&full, ThemeChoice::Light)),
        ("sixteen", utf8(&[("TERM", "xterm")], ThemeChoice::Dark)),
        (
            "plain",
            utf8(
                &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
                ThemeChoice::Dark,
            ),
        ),
        ("ascii", plain_ascii()),
    ]
}

/// A screen with its name.
type Named = (&'static str, Rig);

#[expect(clippy::too_many_lines, reason = "a screen each")]
fn screens() -> Vec<Named> {
    let shell = || Rig::with_shell(SIZE.0, SIZE.1);
    let scene = || screens::scene(SIZE.0, SIZE.1, true_colour());
    let with = |mut rig: Rig, change: &dyn Fn(&mut Rig)| {
        change(&mut rig);
        rig
    };
    let panel = |keys: &str| {
        let mut panel = providers::Panel::new(SIZE.0, SIZE.1, providers::TWO);
        panel.rig.command("P").keys(keys);
        panel.rig.tell(Msg::Store(Box::new(journal::status())));
        panel.rig
    };
    let (mut overview, agents) = overview::rig();
    overview.command("v").tell(overview::looks(agents));
    vec![
        ("panes", scene()),
        (
            "prefix",
            with(scene(), &|rig| {
                rig.keys("ctrl-b").wait(500);
            }),
        ),
        ("panel", panel("j")),
        ("provider", panel("enter")),
        ("overview", overview),
        (
            "usage",
            with(shell(), &|rig| {
                rig.command("U").answer(Ok(journal::usage()));
            }),
        ),
        (
            "history",
            with(shell(), &|rig| {
                rig.command("Y").answer(Ok(journal::history()));
            }),
        ),
        ("log", log::opened(SIZE.0, SIZE.1)),
        (
            "doctor",
            with(shell(), &|rig| {
                rig.command("D").tell(Msg::Examined(findings()));
            }),
        ),
        (
            "explained",
            with(shell(), &|rig| {
                rig.toast(Severity::Error, "pty pool is at capacity (10)");
                rig.command("X");
            }),
        ),
        (
            "help",
            with(shell(), &|rig| {
                rig.command("?");
            }),
        ),
        (
            "help_filtered",
            with(shell(), &|rig| {
                rig.command("?").keys("s p l i t");
            }),
        ),
        (
            "palette",
            with(shell(), &|rig| {
                rig.command(":").keys("s p r t");
            }),
        ),
        (
            "launcher",
            with(shell(), &|rig| {
                let agents = [
                    ("claude".into(), false),
                    ("codex".into(), true),
                    ("shell".into(), true),
                ];
                rig.tell(Msg::Agents(agents.to_vec()));
                rig.keys("down");
            }),
        ),
        (
            "rename",
            with(shell(), &|rig| {
                rig.command(",");
            }),
        ),
        (
            "question",
            with(scene(), &|rig| {
                rig.command("q");
            }),
        ),
        (
            "copy",
            with(shell(), &|rig| {
                let lines = ["$ cargo test", "running 12 tests", "test result: ok", "$"];
                rig.screen(id(1), &lines, InputModes::default());
                rig.command("[").keys("g l l v j");
            }),
        ),
        (
            "toasts",
            with(scene(), &|rig| {
                rig.toast(
                    Severity::Error,
                    "config error: config.toml:12: pty.max_ptys: must be at least 1",
                );
                rig.toast(Severity::Success, "configuration applied");
            }),
        ),
    ]
}

fn findings() -> Vec<Check> {
    vec![
        Check::ok("terminal.size", "80x24"),
        Check::warn(
            "paths.disk",
            "402 MiB are free where /home/me/.local/share/tundra is",
            "make room: the journal stops where the disk is full",
        ),
        Check::fail(
            "profile.claude.auth",
            "API error (status 401): invalid x-api-key",
            "put a key that holds into ANTHROPIC_API_KEY, then: tundra restart claude",
        ),
        Check::skip("dolt", "not enabled"),
    ]
}

/// The text, and below it a letter for the style of each cell with what the letters mean.
fn picture(rig: &Rig) -> String {
    let (frame, _) = rig.drawn();
    let mut picture = frame.text().join("\n");
    let mut styles: Vec<String> = Vec::new();
    let mut letters = String::new();
    for row in frame.rows() {
        let line: String = row
            .cells
            .iter()
            .map(|cell| {
                let style = style_of(cell);
                if style.is_empty() {
                    return ' ';
                }
                let index = styles.iter().position(|known| *known == style);
                let index = index.unwrap_or_else(|| {
                    styles.push(style);
                    styles.len() - 1
                });
                char::from(b'a' + u8::try_from(index).unwrap())
            })
            .collect();
        writeln!(letters, "{}", line.trim_end()).unwrap();
    }
    write!(picture, "\n----\n{letters}----\n").unwrap();
    for (letter, style) in ('a'..).zip(styles) {
        writeln!(picture, "{letter}  {style}").unwrap();
    }
    match cursor(rig) {
        Some(cursor) => writeln!(picture, "cursor in row {} column {}", cursor.y, cursor.x),
        None => writeln!(picture, "no cursor"),
    }
    .unwrap();
    picture
}

fn style_of(cell: &Cell) -> String {
    let mut parts = Vec::new();
    for (colour, name) in [(cell.fg, "text"), (cell.bg, "on")] {
        match colour.kind() {
            ColorKind::Default => {}
            ColorKind::Indexed(index) => parts.push(format!("{name} {index}")),
            ColorKind::Rgb(red, green, blue) => {
                parts.push(format!("{name} #{red:02x}{green:02x}{blue:02x}"));
            }
        }
    }
    for (attribute, name) in [
        (Attrs::BOLD, "bold"),
        (Attrs::DIM, "dim"),
        (Attrs::INVERSE, "reversed"),
    ] {
        if cell.attrs.contains(attribute) {
            parts.push(name.to_owned());
        }
    }
    if cell.attrs.underline() != Underline::None {
        parts.push("underlined".to_owned());
    }
    parts.join(", ")
}

fn cursor(rig: &Rig) -> Option<CursorAt> {
    view::modes(&rig.model)
        .cursor
        .filter(|cursor| cursor.visible)
}

#[tokio::test]
async fn every_screen_in_every_look() {
    for (screen, mut rig) in screens() {
        for (look, theme) in looks() {
            rig.model.client.theme = theme;
            insta::assert_snapshot!(format!("{screen}_{look}"), picture(&rig));
        }
    }
}

#[tokio::test]
async fn a_terminal_gets_no_more_colours_and_characters_than_it_has() {
    for (screen, mut rig) in screens() {
        for (look, theme) in looks() {
            rig.model.client.theme = theme;
            let (frame, written) = rig.drawn();
            let cells = frame.rows().iter().flat_map(|row| &row.cells);
            let colours: Vec<ColorKind> = cells
                .flat_map(|cell| [cell.fg.kind(), cell.bg.kind()])
                .collect();
            let fits: fn(&ColorKind) -> bool = match look {
                "sixteen" => |kind| matches!(kind, ColorKind::Default | ColorKind::Indexed(0..16)),
                "plain" | "ascii" => |kind| matches!(kind, ColorKind::Default),
                _ => |_| true,
            };
            assert!(colours.iter().all(fits), "{screen} {look}");
            assert!(look != "ascii" || written.is_ascii(), "{screen}");
        }
    }
}

#[tokio::test]
async fn every_list_and_field_has_the_cursor_where_its_focus_is() {
    for (screen, rig) in screens() {
        let text = rig.text();
        let row = cursor(&rig).map(|cursor| {
            let row = text.lines().nth(usize::from(cursor.y)).unwrap();
            row.chars().skip(usize::from(cursor.x)).collect::<String>()
        });
        let begins = match screen {
            "panel" => "▸ router",
            "overview" => "▸▲ waiting",
            "launcher" => "▸ shell",
            "question" => "No]",
            // What is read, with nothing in it to choose.
            "provider" | "usage" | "history" | "log" | "doctor" | "explained" => {
                assert_eq!(row, None, "{screen}");
                continue;
            }
            _ => {
                assert!(row.is_some(), "{screen} has no cursor");
                continue;
            }
        };
        let row = row.unwrap_or_else(|| panic!("{screen} has no cursor"));
        assert!(row.trim_start().starts_with(begins), "{screen}: {row:?}");
    }
}

#[tokio::test]
async fn nothing_moves_by_itself() {
    for (screen, mut rig) in screens() {
        rig.wait(10);
        let before = rig.text();
        for _ in 0..30 {
            rig.wait(30);
            assert_eq!(rig.text(), before, "{screen}");
        }
    }
}
