//! The loop of a viewer.

use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect as Area;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::event::{Incoming, Outgoing, Viewing};
use super::input_queue::InputQueue;
use super::status_line::StatusLine;
use super::viewport::Viewport;
use crate::domain::chord::Chord;
use crate::domain::input::{Input, KeyCode, KeyEvent, Mods, MouseEvent, MouseKind};
use crate::domain::layout::Rect;
use crate::domain::screen::MouseMode;
use crate::domain::size::Size;
use crate::pane::Mirror;
use crate::runtime::signals::Termination;
use crate::tui::error::TuiError;
use crate::tui::frame::{
    Content, CursorAt, Frame, KeysFor, Mouse, OuterModes, Rows, cut_hole, kitty_flags,
};
use crate::tui::input::{InputEvent, Reply};
use crate::tui::outer::{OutOfBand, Terminal, Writer, guarded};
use crate::tui::services::Ending;
use crate::tui::theme::{Role, Theme};

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

/// Shows a pane until its user leaves or it ends; the terminal is restored when this returns.
///
/// # Errors
/// [`TuiError`] when the terminal cannot be used, or after a bug.
pub async fn view(terminal: Terminal, viewing: Viewing) -> Result<Ending, TuiError> {
    let restore = Some(terminal.restore());
    let result = guarded(restore, async {
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
    window: Signal,
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
    viewport: Viewport,
    out_of_band: OutOfBand,
    input_queue: InputQueue,
    changed: bool,
    drawn: Instant,
}

impl<'t> Viewer<'t> {
    fn new(terminal: &'t Terminal, viewing: Viewing) -> Result<Self, TuiError> {
        let size = terminal.size();
        let window = signal(SignalKind::window_change()).map_err(TuiError::Setup)?;
        Ok(Self {
            terminal,
            input: terminal.events(Vec::new()).map_err(TuiError::Setup)?,
            window,
            writer: terminal.writer().map_err(TuiError::Setup)?,
            frame: Frame::new(),
            theme: theme_of(terminal, &viewing, None),
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
            viewport: Viewport::default(),
            out_of_band: OutOfBand::default(),
            input_queue: InputQueue::default(),
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
                permit = outgoing.reserve(), if !self.input_queue.is_empty() => match permit {
                    Ok(permit) => if let Some(outgoing) = self.input_queue.pop() {
                        permit.send(outgoing);
                    },
                    // Nobody to take it: the connection is ending, which is told by the other channel.
                    Err(_) => self.input_queue = InputQueue::default(),
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
                self.viewport.live();
            }
            Incoming::Output(bytes) => {
                let requests = self.mirror.feed(&bytes);
                if requests.bell {
                    self.out_of_band.ring();
                }
                if let Some(text) = requests
                    .clipboard
                    .filter(|text| text.len() <= CLIPBOARD_BYTES)
                {
                    self.out_of_band.set_clipboard(text);
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
                KeyMeaning::Leave => return true,
                KeyMeaning::Nothing => return false,
                KeyMeaning::Take => {
                    self.send(Outgoing::Take);
                    return false;
                }
                KeyMeaning::Input => Input::Key(key),
            },
            InputEvent::Paste(text) => {
                self.viewport.live();
                self.changed = true;
                for piece in pieces(&text, MAX_PASTE) {
                    self.send(Outgoing::Paste(piece.to_owned()));
                }
                return false;
            }
            InputEvent::Text(text) => {
                self.viewport.live();
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
            InputEvent::Reply(Reply::Background(background)) => {
                let is_light = Some(background.is_light());
                self.theme = theme_of(self.terminal, &self.viewing, is_light);
                self.changed = true;
                return false;
            }
            InputEvent::Reply(_) | InputEvent::Closed => return false,
        };
        // What Enter with a modifier is to a program that asked for no keyboard protocol, the instance knows.
        if let Input::Key(key) = &input
            && key.code == KeyCode::Enter
            && let Some(chord) = Chord::of(key).filter(|chord| !chord.mods().is_empty())
        {
            self.send(Outgoing::Key(chord));
            return false;
        }
        let bytes = self.mirror.encode(&input);
        if !bytes.is_empty() {
            self.send(Outgoing::Input(bytes));
        }
        false
    }

    fn key(&mut self, key: &KeyEvent) -> KeyMeaning {
        let commands = self.after_prefix || self.viewport.is_steered();
        let chord = if commands {
            Chord::of_command(key)
        } else {
            Chord::of(key)
        };
        let Some(chord) = chord else {
            // The release of a key that was the viewer's own is nobody's.
            return if self.after_prefix {
                KeyMeaning::Nothing
            } else {
                KeyMeaning::Input
            };
        };
        if !std::mem::take(&mut self.after_prefix) {
            if chord == self.prefix {
                self.after_prefix = true;
                self.changed = true;
                return KeyMeaning::Nothing;
            }
            let page = self.area().height;
            if self.viewport.is_steered() {
                self.changed = true;
                self.viewport.steer(chord, page, &self.mirror);
                return KeyMeaning::Nothing;
            }
            // Whoever types wants to see where.
            self.viewport.live();
            return KeyMeaning::Input;
        }
        self.changed = true;
        let plain = |c| chord == Chord::new(KeyCode::Char(c), Mods::NONE);
        match chord {
            chord if chord == self.prefix => KeyMeaning::Input,
            _ if plain('d') || plain('q') => KeyMeaning::Leave,
            _ if plain('t') && !self.viewing.read_only => KeyMeaning::Take,
            _ if plain('[') => {
                self.viewport.begin_steering(&self.mirror);
                KeyMeaning::Nothing
            }
            _ => KeyMeaning::Nothing,
        }
    }

    /// An event of the mouse as the pane sees it; None beside it, and where it was the viewer's own.
    fn mouse_event(&mut self, event: MouseEvent) -> Option<MouseEvent> {
        let screen = self.mirror.screen();
        let size = screen.size;
        let is_taken = screen.modes.mouse != MouseMode::None && !self.viewing.read_only;
        if self.viewport.is_back() || (!is_taken && !self.mirror.alternate_screen()) {
            match event.kind {
                MouseKind::WheelUp => self.viewport.scroll(true, WHEEL_ROWS, &self.mirror),
                MouseKind::WheelDown => self.viewport.scroll(false, WHEEL_ROWS, &self.mirror),
                _ => {}
            }
            return None;
        }
        let (row, col) = self.viewport.place(event.row, event.col)?;
        let inside = event.row < self.area().height && row < size.rows() && col < size.cols();
        inside.then_some(MouseEvent { row, col, ..event })
    }

    /// Hands out what the user did, as soon as there is room for it; the viewer itself never waits.
    fn send(&mut self, outgoing: Outgoing) {
        if !self.viewing.read_only && !self.input_queue.push(outgoing) {
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
        self.viewport.follow(&screen, hole);
        let (cols, rows) = self.size;
        let mut chrome = Buffer::empty(Area::new(0, 0, cols, rows));
        chrome.set_style(chrome.area, self.theme.style(Role::Muted));
        self.line().draw(&mut chrome, self.theme.style(Role::Bar));
        cut_hole(&mut chrome, hole);
        self.frame.set_chrome(&mut chrome);
        let shown = self.viewport.rows(&screen, hole, &self.mirror);
        let contents = [Content {
            rect: hole,
            rows: Rows::Live(&shown),
            reverse: screen.reverse,
            spans: Vec::new(),
        }];
        let cursor = screen.cursor;
        let keys_for = if self.after_prefix || self.viewport.is_steered() {
            KeysFor::Command
        } else {
            KeysFor::Program(screen.modes.kitty_flags)
        };
        let modes = OuterModes {
            cursor: self.viewport.cursor(cursor, hole).map(|(x, y)| CursorAt {
                x,
                y,
                visible: cursor.visible,
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
            keyboard: self.keyboard.then(|| kitty_flags(keys_for)),
        };
        let mut bytes = self.writer.buffer();
        self.frame.draw(&self.theme, &contents, &modes, &mut bytes);
        self.out_of_band.drain(&mut bytes);
        if !bytes.is_empty() {
            self.writer.send(bytes);
        }
    }

    /// The line below the pane.
    fn line(&self) -> StatusLine<'_> {
        StatusLine {
            prefix: self.prefix,
            after_prefix: self.after_prefix,
            back: self.viewport.rows_back(&self.mirror),
            is_steered: self.viewport.is_steered(),
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
enum KeyMeaning {
    Leave,
    Take,
    Nothing,
    Input,
}

/// The size that the pane would have on a terminal: one line is the viewer's own.
fn pane_size((cols, rows): (u16, u16)) -> Size {
    Size::clamped(cols, rows.saturating_sub(1))
}

/// The theme for a viewer's terminal; `is_light` is what that answered about its background.
fn theme_of(terminal: &Terminal, viewing: &Viewing, is_light: Option<bool>) -> Theme {
    let general = &viewing.settings.general;
    Theme::detect(
        general.theme,
        general.unicode,
        terminal.environment(),
        is_light,
    )
}
