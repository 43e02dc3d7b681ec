//! A viewer: one pane of an instance elsewhere on this terminal, with a line of its own below.
//!
//! Takes in what the pane shows and hands out what its user does; how both travel it does not know. The pane keeps its
//! own size: where it is larger than this terminal the part around the cursor is shown.

mod deeds;
mod line;
mod look;

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect as Area;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::error::TuiError;
use super::frame::{Content, CursorAt, Frame, Mouse, OuterModes, Rows, cut_hole};
use super::guard::guarded;
use super::input::{InputEvent, Reply};
use super::outside::Outside;
use super::run::Ending;
use super::runner::theme_of;
use super::terminal::Terminal;
use super::theme::{Role, Theme};
use super::writer::Writer;
use crate::config::Settings;
use crate::domain::chord::Chord;
use crate::domain::input::{Input, KeyCode, KeyEvent, Mods, MouseEvent, MouseKind};
use crate::domain::layout::Rect;
use crate::domain::screen::MouseMode;
use crate::domain::size::Size;
use crate::pane::Mirror;
use crate::runtime::signals::{Termination, Terminations};
use deeds::Deeds;
use line::Line;
use look::Look;

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// A longer paste goes in pieces, which a message can hold.
const MAX_PASTE: usize = 512 * 1024;
/// Keys that are dealt with before anything else has its turn.
const AT_ONCE: usize = 256;
/// Rows that one notch of the wheel scrolls.
const WHEEL_ROWS: u16 = 3;
/// A longer text than this does not reach the clipboard: the program is another machine's.
const CLIPBOARD_BYTES: usize = 100_000;

/// What the pane elsewhere shows, and how the way to it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    Snapshot {
        size: Size,
        bytes: Vec<u8>,
    },
    Output(Vec<u8>),
    /// How the connection is, for the line below.
    State(String),
    /// What went wrong with something the user did; on the line below until the next key.
    Told(String),
    Role {
        writer: bool,
        /// Who writes, where it is another one.
        other: Option<String>,
    },
    /// The terminal has ended; the viewer does too.
    Ended,
}

/// What the user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    Input(Vec<u8>),
    Paste(String),
    Resize(Size),
    Take,
}

/// What a viewer works with. Leaving is dropping `outgoing`.
#[derive(Debug)]
pub struct Viewing {
    pub settings: Settings,
    /// What the pane is called.
    pub name: String,
    pub read_only: bool,
    pub incoming: mpsc::Receiver<Incoming>,
    pub outgoing: mpsc::Sender<Outgoing>,
    pub terminations: Terminations,
}

/// Shows a pane until its user leaves or it ends; the terminal is restored when this returns.
///
/// # Errors
/// [`TuiError`] when the terminal cannot be used, or after a bug.
pub async fn view(terminal: Terminal, viewing: Viewing) -> Result<Ending, TuiError> {
    let outer = terminal.outer();
    let result = guarded(outer, async {
        let viewer = Box::new(Viewer::new(&terminal, viewing)?);
        Box::pin(viewer.run()).await
    })
    .await;
    drop(terminal);
    result
}

struct Viewer<'t> {
    terminal: &'t Terminal,
    input: mpsc::Receiver<InputEvent>,
    window: tokio::signal::unix::Signal,
    writer: Writer,
    frame: Frame,
    theme: Theme,
    prefix: Chord,
    mouse: bool,
    /// The terminal speaks the kitty keyboard protocol.
    keyboard: bool,
    viewing: Viewing,
    mirror: Mirror,
    size: (u16, u16),
    state: String,
    told: Option<String>,
    writes: bool,
    other: Option<String>,
    after_prefix: bool,
    look: Look,
    outside: Outside,
    deeds: Deeds,
    changed: bool,
    drawn: Instant,
}

impl<'t> Viewer<'t> {
    fn new(terminal: &'t Terminal, viewing: Viewing) -> Result<Self, TuiError> {
        let size = terminal.size();
        let window = signal(SignalKind::window_change()).map_err(TuiError::Setup)?;
        Ok(Self {
            terminal,
            input: terminal.events().map_err(TuiError::Setup)?,
            window,
            writer: terminal.writer().map_err(TuiError::Setup)?,
            frame: Frame::new(),
            theme: theme_of(&viewing.settings, None),
            prefix: viewing.settings.keymap.prefix(),
            mouse: viewing.settings.general.mouse,
            keyboard: false,
            mirror: Mirror::new(pane_size(size), viewing.settings.pty.scrollback_lines),
            viewing,
            size,
            state: "connecting".to_owned(),
            told: None,
            writes: false,
            other: None,
            after_prefix: false,
            look: Look::default(),
            outside: Outside::default(),
            deeds: Deeds::default(),
            changed: true,
            drawn: Instant::now(),
        })
    }

    async fn run(mut self: Box<Self>) -> Result<Ending, TuiError> {
        let outgoing = self.viewing.outgoing.clone();
        loop {
            let due = self.drawn + FRAME;
            if self.changed && self.writer.is_idle() && due <= Instant::now() {
                self.draw();
            }
            let waits = self.changed && self.writer.is_idle();
            tokio::select! {
                biased;
                termination = self.viewing.terminations.next() => return Ok(Ending::Signal(termination)),
                event = self.input.recv() => {
                    if let Some(ending) = self.take_all(event.unwrap_or(InputEvent::Closed)) {
                        return Ok(ending);
                    }
                }
                written = self.writer.finished() => written.map_err(TuiError::Setup)?,
                incoming = self.viewing.incoming.recv() => match incoming {
                    None | Some(Incoming::Ended) => return Ok(Ending::Quit),
                    Some(incoming) => self.learn(incoming),
                },
                permit = outgoing.reserve(), if !self.deeds.is_empty() => match permit {
                    Ok(permit) => if let Some(outgoing) = self.deeds.pop() {
                        permit.send(outgoing);
                    },
                    // Nobody to take it: the connection is ending, which is told by the other channel.
                    Err(_) => self.deeds = Deeds::default(),
                },
                _ = self.window.recv() => self.resized(),
                () = sleep_until(due.into()), if waits => {}
            }
        }
    }

    fn learn(&mut self, incoming: Incoming) {
        self.changed = true;
        match incoming {
            Incoming::Snapshot { size, bytes } => {
                self.mirror.restore(size, &bytes);
                // The rows have other numbers now.
                self.look.live();
            }
            Incoming::Output(bytes) => {
                let requests = self.mirror.feed(&bytes);
                if requests.bell {
                    self.outside.ring();
                }
                if let Some(text) = requests
                    .clipboard
                    .filter(|text| text.len() <= CLIPBOARD_BYTES)
                {
                    self.outside.set_clipboard(text);
                }
            }
            Incoming::State(state) => self.state = state,
            Incoming::Told(text) => self.told = Some(text),
            Incoming::Role { writer, other } => {
                let takes = writer && !self.writes;
                self.writes = writer;
                self.other = other;
                if takes {
                    self.send(Outgoing::Resize(pane_size(self.size)));
                }
            }
            Incoming::Ended => {}
        }
    }

    fn resized(&mut self) {
        self.size = self.terminal.size();
        self.frame.repaint();
        self.changed = true;
        if self.writes {
            self.send(Outgoing::Resize(pane_size(self.size)));
        }
    }

    /// Deals with what the user did up to now; tells when that was to leave.
    fn take_all(&mut self, first: InputEvent) -> Option<Ending> {
        let mut next = Some(first);
        for _ in 0..AT_ONCE {
            let event = next.take().or_else(|| self.input.try_recv().ok())?;
            if event == InputEvent::Closed {
                return Some(Ending::Signal(Termination::Hangup));
            }
            if self.take(event) {
                return Some(Ending::Quit);
            }
        }
        None
    }

    /// Deals with one thing the user did; true when that was to leave.
    fn take(&mut self, event: InputEvent) -> bool {
        if matches!(event, InputEvent::Key(_) | InputEvent::Paste(_)) && self.told.take().is_some()
        {
            self.changed = true;
        }
        let input = match event {
            InputEvent::Key(key) => match self.key(&key) {
                Struck::Leave => return true,
                Struck::Nothing => return false,
                Struck::Take => {
                    self.send(Outgoing::Take);
                    return false;
                }
                Struck::Input => Input::Key(key),
            },
            InputEvent::Paste(text) => {
                self.look.live();
                self.changed = true;
                for piece in pieces(&text, MAX_PASTE) {
                    self.send(Outgoing::Paste(piece.to_owned()));
                }
                return false;
            }
            InputEvent::Text(text) => {
                self.look.live();
                Input::Text(text)
            }
            InputEvent::Focus(gained) => Input::Focus(gained),
            InputEvent::Mouse(event) => {
                let Some(event) = self.mouse_event(event) else {
                    self.changed = true;
                    return false;
                };
                Input::Mouse(event)
            }
            InputEvent::Reply(Reply::Keyboard(_)) => {
                self.keyboard = true;
                self.changed = true;
                return false;
            }
            InputEvent::Reply(Reply::Background(red, green, blue)) => {
                // Perceived brightness, ITU-R BT.601.
                let light = 299 * u64::from(red) + 587 * u64::from(green) + 114 * u64::from(blue);
                let light = light > 500 * u64::from(u16::MAX);
                self.theme = theme_of(&self.viewing.settings, Some(light));
                self.changed = true;
                return false;
            }
            InputEvent::Reply(_) | InputEvent::Closed => return false,
        };
        let bytes = self.mirror.encode(&input);
        if !bytes.is_empty() {
            self.send(Outgoing::Input(bytes));
        }
        false
    }

    fn key(&mut self, key: &KeyEvent) -> Struck {
        let Some(chord) = Chord::of(key) else {
            // The release of a key that was the viewer's own is nobody's.
            return if self.after_prefix {
                Struck::Nothing
            } else {
                Struck::Input
            };
        };
        if !std::mem::take(&mut self.after_prefix) {
            if chord == self.prefix {
                self.after_prefix = true;
                self.changed = true;
                return Struck::Nothing;
            }
            let page = self.area().height;
            if self.look.is_steered() {
                self.changed = true;
                self.look.steer(chord, page, &self.mirror);
                return Struck::Nothing;
            }
            // Whoever types wants to see where.
            self.look.live();
            return Struck::Input;
        }
        self.changed = true;
        let plain = |c| chord == Chord::new(KeyCode::Char(c), Mods::NONE);
        match chord {
            chord if chord == self.prefix => Struck::Input,
            _ if plain('d') || plain('q') => Struck::Leave,
            _ if plain('t') && !self.viewing.read_only => Struck::Take,
            _ if plain('[') => {
                self.look.begin_steering(&self.mirror);
                Struck::Nothing
            }
            _ => Struck::Nothing,
        }
    }

    /// An event of the mouse as the pane sees it; None beside it, and where it was the viewer's own.
    fn mouse_event(&mut self, event: MouseEvent) -> Option<MouseEvent> {
        let screen = self.mirror.screen();
        let size = screen.size;
        let is_taken = screen.modes.mouse != MouseMode::None && !self.viewing.read_only;
        if self.look.is_back() || (!is_taken && !self.mirror.alternate_screen()) {
            match event.kind {
                MouseKind::WheelUp => self.look.scroll(true, WHEEL_ROWS, &self.mirror),
                MouseKind::WheelDown => self.look.scroll(false, WHEEL_ROWS, &self.mirror),
                _ => {}
            }
            return None;
        }
        let (row, col) = self.look.place(event.row, event.col)?;
        let inside = event.row < self.area().height && row < size.rows() && col < size.cols();
        inside.then_some(MouseEvent { row, col, ..event })
    }

    /// Hands out what the user did, as soon as there is room for it; the viewer itself never waits.
    fn send(&mut self, outgoing: Outgoing) {
        if !self.viewing.read_only && !self.deeds.push(outgoing) {
            self.told = Some("no room for more keys: the last was dropped".to_owned());
            self.changed = true;
        }
    }

    /// Where the pane is shown.
    fn area(&self) -> Rect {
        let (cols, rows) = self.size;
        Rect {
            x: 0,
            y: 0,
            width: cols,
            height: rows.saturating_sub(1),
        }
    }

    fn draw(&mut self) {
        self.changed = false;
        self.drawn = Instant::now();
        let area = self.area();
        let screen = self.mirror.screen().clone();
        let hole = Rect {
            width: area.width.min(screen.size.cols()),
            height: area.height.min(screen.size.rows()),
            ..area
        };
        self.look.follow(&screen, hole);
        let (cols, rows) = self.size;
        let mut chrome = Buffer::empty(Area::new(0, 0, cols, rows));
        chrome.set_style(chrome.area, self.theme.style(Role::Muted));
        self.line().draw(&mut chrome, self.theme.style(Role::Bar));
        cut_hole(&mut chrome, hole);
        self.frame.set_chrome(&chrome);
        let shown = self.look.rows(&screen, hole, &self.mirror);
        let contents = [Content {
            rect: hole,
            rows: Rows::Live(&shown),
            reverse: screen.reverse,
            spans: Vec::new(),
        }];
        let cursor = screen.cursor;
        let modes = OuterModes {
            cursor: self.look.cursor(cursor, hole).map(|(x, y)| CursorAt {
                x,
                y,
                shape: cursor.shape,
                blinking: cursor.blinking,
            }),
            title: if screen.title.is_empty() {
                self.viewing.name.clone()
            } else {
                screen.title.to_string()
            },
            mouse: match screen.modes.mouse {
                _ if !self.mouse => Mouse::Off,
                MouseMode::Any if !self.viewing.read_only => Mouse::Any,
                _ => Mouse::Buttons,
            },
            keyboard: self.keyboard.then(|| keyboard(screen.modes.kitty_flags)),
        };
        let mut bytes = self.writer.buffer();
        self.frame.draw(&self.theme, &contents, &modes, &mut bytes);
        self.outside.drain(&mut bytes);
        if !bytes.is_empty() {
            self.writer.send(bytes);
        }
    }

    /// The line below the pane.
    fn line(&self) -> Line<'_> {
        Line {
            prefix: self.prefix,
            after_prefix: self.after_prefix,
            back: self.look.rows_back(&self.mirror),
            is_steered: self.look.is_steered(),
            read_only: self.viewing.read_only,
            writes: self.writes,
            other: self.other.as_deref(),
            name: &self.viewing.name,
            state: self.told.as_deref().unwrap_or(&self.state),
        }
    }
}

/// A text in pieces of at most `most` bytes, cut between characters.
fn pieces(text: &str, most: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (1..=most.min(rest.len()))
            .rev()
            .find(|end| rest.is_char_boundary(*end));
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// What a key means to the viewer.
enum Struck {
    Leave,
    Take,
    Nothing,
    Input,
}

/// The size that the pane would have on a terminal: one line is the viewer's own.
fn pane_size((cols, rows): (u16, u16)) -> Size {
    Size::clamped(cols, rows.saturating_sub(1))
}

/// Kitty flags for the outer terminal: keys are told apart, and what the program asked for.
fn keyboard(asked: u8) -> u8 {
    let characters = if asked & 8 == 0 { 0 } else { 4 | 16 };
    (asked & 0b1_1111) | 1 | characters
}
