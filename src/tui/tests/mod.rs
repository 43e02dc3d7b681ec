//! The front end without a terminal: messages in, effects and screens out.

mod any_size;
mod drawing;
mod journal;
mod keys;
mod log;
mod looks;
mod mouse;
mod outer;
mod overview;
mod panes;
mod place;
mod providers;
mod report;
mod screens;
mod tabs;
mod viewers;
mod widths;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use super::address::BrowserAddress;
use super::client::Client;
use super::effect::{Effect, Placement};
use super::frame::Frame;
use super::input::InputEvent;
use super::model::{Model, Options, OuterNotify};
use super::msg::Msg;
use super::notice::Severity;
use super::notice::{Notice, Prominence};
use super::now::Now;
use super::outer::Environment;
use super::services::First;
use super::theme::Theme;
use super::update::{self, Redraw};
use super::view;
use crate::config::{OscKind, ThemeChoice, UnicodeChoice};
use crate::domain::agent::{Agent, AgentNotice, AgentState, Evidence};
use crate::domain::budget::Budget;
use crate::domain::chord::Chord;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::input::{Input, KeyEvent, Mods, MouseEvent, MouseKind};
use crate::domain::keymap::Keymap;
use crate::domain::screen::{Cell, Cursor, InputModes, Row, ScreenSnapshot};
use crate::domain::size::Size;
use crate::domain::terminal::{Exit, Owner, Status, TerminalInfo, TerminalSpec};
use crate::pane::Gauge;

/// Everything but the panes' own cells.
fn chrome(model: &Model) -> Buffer {
    let mut buffer = Buffer::default();
    view::chrome(model, &mut buffer);
    buffer
}

/// A front end whose services are played by the test.
struct Rig {
    model: Model,
    effects: Vec<Effect>,
    instant: Instant,
    /// Of the last message.
    redraw: Redraw,
    /// Of all messages since the last drawing.
    pending: Redraw,
    opened: u32,
}

impl Rig {
    fn new(cols: u16, rows: u16) -> Self {
        Self::with_theme(cols, rows, true_colour())
    }

    fn with_theme(cols: u16, rows: u16, theme: Theme) -> Self {
        let prefix: Chord = "ctrl-b".parse().unwrap();
        let options = Options {
            keymap: Keymap::new(prefix, &BTreeMap::new()).unwrap(),
            shell: vec!["bash".to_owned()],
            mouse: true,
            warn_at: 0.8,
            notify: OuterNotify {
                bell: true,
                osc: Some(OscKind::Osc9),
            },
            zone: Some(jiff::tz::TimeZone::UTC),
        };
        let gauge = Gauge { active: 0, max: 10 };
        Self {
            model: Model::new(
                Client::new((cols, rows), theme, options.mouse),
                Arc::new(options),
                gauge,
            ),
            effects: Vec::new(),
            instant: Instant::now(),
            redraw: Redraw::Nothing,
            pending: Redraw::All,
            opened: 0,
        }
    }

    /// One tab with a shell in it.
    fn with_shell(cols: u16, rows: u16) -> Self {
        let mut rig = Self::new(cols, rows);
        rig.start(1);
        rig
    }

    fn start(&mut self, count: usize) {
        let spec = spec_of(&[]);
        let specs = vec![spec; count];
        let mut effects = Vec::new();
        update::first(&mut self.model, First::Panes(specs), &mut effects);
        self.effects.append(&mut effects);
        self.answer_opens();
    }

    fn tell(&mut self, msg: Msg) -> &mut Self {
        let now = Now {
            instant: self.instant,
            wall: Timestamp::UNIX_EPOCH + Duration::from_secs(3600),
        };
        self.redraw = update::update(&mut self.model, msg, now, &mut self.effects);
        self.pending = self.pending.max(self.redraw);
        self
    }

    fn wait(&mut self, millis: u64) -> &mut Self {
        self.instant += Duration::from_millis(millis);
        self.tell(Msg::Tick)
    }

    fn input(&mut self, event: InputEvent) -> &mut Self {
        self.tell(Msg::Input(event))
    }

    /// Strikes keys by their names, separated by spaces.
    fn keys(&mut self, chords: &str) -> &mut Self {
        for chord in chords.split(' ') {
            let chord: Chord = chord.parse().unwrap();
            self.input(InputEvent::Key(chord.event()));
        }
        self
    }

    /// Strikes the prefix and then these keys.
    fn command(&mut self, chords: &str) -> &mut Self {
        self.keys("ctrl-b").keys(chords)
    }

    fn mouse(&mut self, kind: MouseKind, col: u16, row: u16) -> &mut Self {
        self.input(InputEvent::Mouse(MouseEvent {
            kind,
            row,
            col,
            mods: Mods::NONE,
        }))
    }

    fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Opens what was asked for.
    fn answer_opens(&mut self) -> Vec<TerminalId> {
        let mut ids = Vec::new();
        for effect in self.take() {
            match effect {
                Effect::Open(place, spec, _) => {
                    self.opened += 1;
                    let info = info_of(self.opened, &spec);
                    ids.push(info.id);
                    self.opened_as(place, *spec, info);
                }
                other => self.effects.push(other),
            }
        }
        ids
    }

    fn opened_as(&mut self, place: Placement, spec: TerminalSpec, info: TerminalInfo) {
        let id = info.id;
        self.tell(Msg::Opened {
            place,
            spec: Box::new(spec),
            result: Ok(Box::new(info)),
        });
        self.gauge();
        let size = self.model.session.panes.get(&id).unwrap().size;
        self.tell(Msg::Screen(id, screen_of(size, &["$"])));
    }

    const FINGERPRINT: &str = "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:\
        01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF";

    fn toast(&mut self, severity: Severity, text: &str) {
        self.tell(Msg::Notice(Notice {
            severity,
            prominence: Prominence::Toast,
            text: text.to_owned(),
        }));
    }

    /// Gives the address that was asked for.
    fn answer_address(&mut self, fingerprint: Option<&str>) -> Option<TerminalId> {
        let asked = self.take().into_iter().find_map(|effect| match effect {
            Effect::Address(id) => Some(id),
            _ => None,
        });
        let id = asked.expect("an address was asked for");
        let token = "0123456789abcdef".repeat(4);
        let terminal = id.map(|id| format!("&terminal={id}")).unwrap_or_default();
        let address = BrowserAddress {
            url: format!("https://192.168.178.20:3000/#token={token}{terminal}"),
            good_for: Duration::from_secs(600),
            fingerprint: fingerprint.map(str::to_owned),
        };
        self.tell(Msg::Address(id, Ok(address)));
        id
    }

    /// A viewer takes a pane over and gives it its size.
    fn taken(&mut self, id: TerminalId, cols: u16, rows: u16) {
        self.change(id, |info| {
            info.viewers = info.viewers.max(1);
            info.taken = true;
            info.size = Size::clamped(cols, rows);
        });
    }

    fn screen_of_size(&mut self, id: TerminalId, size: Size, lines: &[&str]) -> &mut Self {
        self.tell(Msg::Screen(id, screen_of(size, lines)))
    }

    fn gauge(&mut self) {
        let active = self.model.session.living().count();
        self.tell(Msg::Gauge(Gauge { active, max: 10 }));
    }

    /// Opens a terminal as `tundra new` does.
    fn opened_outside(&mut self, name: &str) -> TerminalId {
        self.opened += 1;
        let info = TerminalInfo {
            name: name.to_owned(),
            named: true,
            owner: Owner::Local,
            ..info_of(self.opened, &spec_of(&["cat"]))
        };
        let id = info.id;
        let event = TerminalEvent::Opened {
            id,
            owner: Owner::Local,
        };
        self.tell(Msg::Terminal(event, Some(Box::new(info))));
        id
    }

    fn exit(&mut self, id: TerminalId, exit: Exit) -> &mut Self {
        self.tell(Msg::Terminal(TerminalEvent::Exited { id, exit }, None))
    }

    fn change(&mut self, id: TerminalId, change: impl FnOnce(&mut TerminalInfo)) -> &mut Self {
        let mut info = self.model.session.panes.get(&id).unwrap().info.clone();
        change(&mut info);
        let event = TerminalEvent::Changed { id };
        self.tell(Msg::Terminal(event, Some(Box::new(info))))
    }

    fn agent(&mut self, id: TerminalId, state: AgentState) -> &mut Self {
        self.change(id, |info| {
            let agent = Agent::new("claude".into(), Timestamp::UNIX_EPOCH, true);
            info.agent = Some(Agent {
                state,
                by: Evidence::Title,
                ..agent
            });
        })
    }

    fn focus(&self) -> TerminalId {
        self.model.session.focus().unwrap()
    }

    fn screen(&mut self, id: TerminalId, lines: &[&str], modes: InputModes) -> &mut Self {
        let size = self.model.session.panes.get(&id).unwrap().size;
        let mut screen = ScreenSnapshot::clone(&screen_of(size, lines));
        screen.modes = modes;
        self.tell(Msg::Screen(id, Arc::new(screen)))
    }

    /// What the outer terminal would show, row by row.
    fn text(&self) -> String {
        self.drawn().0.text().join("\n")
    }

    /// The outer terminal's screen, and what was written to it.
    fn drawn(&self) -> (Frame, Vec<u8>) {
        let mut frame = Frame::new();
        let mut bytes = Vec::new();
        frame.set_chrome(&mut chrome(&self.model));
        frame.draw(
            &self.model.client.theme,
            &view::contents(&self.model),
            &view::modes(&self.model),
            &mut bytes,
        );
        (frame, bytes)
    }

    fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// Input that went to panes, in order.
    fn inputs(&mut self) -> Vec<(TerminalId, Input)> {
        self.take()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Input(_, Input::Focus(_)) => None,
                Effect::Input(id, input) => Some((id, input)),
                _ => None,
            })
            .collect()
    }
}

fn id(number: u32) -> TerminalId {
    format!("00000000-0000-4000-8000-{number:012}")
        .parse()
        .unwrap()
}

fn spec_of(command: &[&str]) -> TerminalSpec {
    TerminalSpec {
        confine: None,
        resume: false,
        budget: Budget::default(),
        name: None,
        command: command.iter().map(ToString::to_string).collect(),
        cwd: None,
        env: Vec::new(),
        size: Size::DEFAULT,
        persistent: false,
        agent: None,
        gateway: true,
        owner: Owner::Front,
    }
}

fn info_of(number: u32, spec: &TerminalSpec) -> TerminalInfo {
    let program = spec
        .agent
        .as_ref()
        .map(ToString::to_string)
        .or_else(|| spec.command.first().cloned())
        .unwrap_or_else(|| "bash".to_owned());
    TerminalInfo {
        id: id(number),
        name: program.clone(),
        named: spec.name.is_some(),
        command: if spec.command.is_empty() {
            vec![program]
        } else {
            spec.command.clone()
        },
        cwd: "/home/me".into(),
        pid: 100 + number,
        size: spec.size,
        title: String::new(),
        status: Status::Active,
        owner: spec.owner,
        persistent: false,
        viewers: 0,
        taken: false,
        ending: false,
        created_at: Timestamp::UNIX_EPOCH,
        disconnected_since: None,
        exit: None,
        agent: spec
            .agent
            .clone()
            .map(|kind| Agent::new(kind, Timestamp::UNIX_EPOCH, true)),
    }
}

fn row_of(cols: u16, text: &str) -> Arc<Row> {
    let mut cells = vec![Cell::default(); usize::from(cols)];
    for (cell, ch) in cells.iter_mut().zip(text.chars()) {
        cell.ch = ch;
    }
    Arc::new(Row {
        cells,
        ..Row::default()
    })
}

fn screen_of(size: Size, lines: &[&str]) -> Arc<ScreenSnapshot> {
    let rows = (0..usize::from(size.rows()))
        .map(|row| row_of(size.cols(), lines.get(row).unwrap_or(&"")))
        .collect();
    Arc::new(ScreenSnapshot {
        size,
        rows,
        cursor: Cursor {
            row: 0,
            col: 2,
            visible: true,
            ..Cursor::default()
        },
        title: "".into(),
        alternate_screen: false,
        reverse: false,
        modes: InputModes::default(),
        history_start: 0,
        top: 0,
        rewraps: 0,
    })
}

fn theme_for(pairs: &[(&str, &str)]) -> Theme {
    let env = Environment::of(|name| {
        let pair = pairs.iter().find(|(key, _)| *key == name);
        pair.map(|(_, value)| (*value).to_owned())
    });
    Theme::detect(ThemeChoice::Dark, UnicodeChoice::Auto, &env, None)
}

fn true_colour() -> Theme {
    theme_for(&[
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("LANG", "C.UTF-8"),
    ])
}

fn plain_ascii() -> Theme {
    theme_for(&[("TERM", "vt100"), ("NO_COLOR", "1"), ("LANG", "C")])
}

fn press(chord: &str) -> KeyEvent {
    chord.parse::<Chord>().unwrap().event()
}
