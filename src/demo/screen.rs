//! What the client shows: which keys do what, what is wrong with whom, and the answers.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthStr;

use super::fault::{Fault, Player};
use crate::domain::printable::printable;

/// Answers that are kept; as many are shown as there is room for.
const KEPT: usize = 200;
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// One question and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exchange {
    pub number: u64,
    pub profile: Option<String>,
    pub attempts: u32,
    pub text: String,
    pub failure: Option<String>,
    pub is_over: bool,
}

#[derive(Debug)]
pub(super) struct Screen {
    pub chosen: Player,
    pub faults: [Fault; 2],
    exchanges: VecDeque<Exchange>,
}

impl Screen {
    pub fn new() -> Self {
        Self {
            chosen: Player::A,
            faults: [Fault::None; 2],
            exchanges: VecDeque::new(),
        }
    }

    pub fn begin(&mut self, number: u64) {
        self.exchanges.push_back(Exchange {
            number,
            ..Exchange::default()
        });
        if self.exchanges.len() > KEPT {
            self.exchanges.pop_front();
        }
    }

    /// The one that is under way, or was last.
    pub fn latest(&mut self) -> Option<&mut Exchange> {
        self.exchanges.back_mut()
    }

    pub fn set(&mut self, fault: Fault) {
        if let Some(place) = self.faults.get_mut(self.chosen.index()) {
            *place = fault;
        }
    }

    /// The whole screen, painted over what was there: the answers, and the keys below them, where no message of tundra's
    /// own covers them.
    pub fn paint(&self, cols: u16, rows: u16) -> String {
        let cols = usize::from(cols).max(20);
        let rows = usize::from(rows).max(4);
        let mut foot = vec![
            (
                BOLD,
                "SIMULATED: two providers that only play; nothing leaves this machine.".to_owned(),
            ),
            ("", self.keys()),
            ("", self.players()),
            (
                DIM,
                "ctrl-b P shows the providers, ctrl-b f fails over by hand, ctrl-b ? the keys."
                    .to_owned(),
            ),
        ];
        foot.truncate(rows - 1);
        let room = rows - foot.len();
        let first = self.exchanges.len().saturating_sub(room);
        let answers = self.exchanges.iter().skip(first).map(shown);
        let blank = std::iter::repeat_n(("", String::new()), room);
        let lines: Vec<String> = answers
            .chain(blank)
            .take(room)
            .chain(foot)
            .map(|(style, line)| format!("{style}{}{RESET}\x1b[K", cut(&line, cols)))
            .collect();
        format!("\x1b[H{}\x1b[J", lines.join("\r\n"))
    }

    fn keys(&self) -> String {
        let faults =
            Fault::ALL.map(|fault| format!("{} {}", char::from(fault.key()), fault.name()));
        let other = Player::ALL
            .into_iter()
            .find(|player| *player != self.chosen);
        let other = other.map_or_else(String::new, |other| {
            format!("   {} the other", char::from(other.key()))
        });
        format!(
            "{}:  {}{other}   q quit",
            self.chosen.name(),
            faults.join("  ")
        )
    }

    fn players(&self) -> String {
        let told = Player::ALL.map(|player| {
            let fault = self.faults.get(player.index()).copied().unwrap_or_default();
            match fault {
                Fault::None => format!("{} is well", player.name()),
                fault => format!("{} plays {}", player.name(), fault.name()),
            }
        });
        told.join(", ")
    }
}

fn shown(exchange: &Exchange) -> (&'static str, String) {
    let Exchange {
        number,
        profile,
        attempts,
        text,
        failure,
        is_over,
    } = exchange;
    let who = profile.as_deref().unwrap_or("…");
    let asked = match attempts {
        0 | 1 => String::new(),
        more => format!(" ({more} asked)"),
    };
    let line = format!("#{number} {who}{asked}  {text}");
    match failure {
        Some(failure) => (RED, format!("{line} {failure}")),
        None if *attempts > 1 => (YELLOW, line),
        None if *is_over => (GREEN, line),
        None => ("", line),
    }
}

/// As much of a line as fits, fit to be shown.
fn cut(line: &str, cols: usize) -> String {
    let line = printable(line);
    let mut kept = String::new();
    for c in line.chars() {
        kept.push(c);
        if kept.width() > cols {
            kept.pop();
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_fit_into_eighty_columns_and_every_row_is_painted_once() {
        let mut screen = Screen::new();
        for number in 1..=30 {
            screen.begin(number);
        }
        assert!(screen.keys().width() <= 80, "{}", screen.keys());
        screen.chosen = Player::B;
        screen.set(Fault::Stalled);
        let painted = screen.paint(80, 20);
        assert_eq!(painted.matches("\r\n").count(), 19, "{painted:?}");
        assert!(painted.contains("simulated-b plays stall"));
        assert!(painted.contains("#30"));
        assert!(!painted.contains("#10 "));
    }

    #[test]
    fn messages_at_the_top_right_cover_neither_the_keys_nor_that_it_is_simulated() {
        let mut screen = Screen::new();
        screen.begin(1);
        let painted = screen.paint(80, 20);
        let rows: Vec<&str> = painted.split("\r\n").collect();
        assert!(rows[0].contains("#1"), "{painted:?}");
        assert!(rows[16].contains("SIMULATED"), "{painted:?}");
        assert!(rows[17].contains("q quit"), "{painted:?}");
    }
}
