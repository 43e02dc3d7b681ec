//! A terminal that shows the model: what comes from it, and the frames that go to it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use crate::domain::pace::Pace;
use crate::runtime::fault;
use crate::tui::error::TuiError;
use crate::tui::frame::Frame;
use crate::tui::input::InputEvent;
use crate::tui::model::Model;
use crate::tui::outer::{Environment, LEAVE_WITHIN, OutOfBand, Restore, Terminal, Writer};
use crate::tui::update::Redraw;
use crate::tui::view;

/// How long a first pane may take to start before an empty screen is shown.
const FIRST_FRAME: Duration = Duration::from_millis(100);

/// What comes from the terminal.
pub(super) enum ScreenEvent {
    Input(InputEvent),
    /// The frame in flight is out, or the terminal is gone.
    Written(io::Result<()>),
}

/// All that belongs to one terminal; dropping it restores the terminal.
pub(super) struct Screen {
    // Dropped before the terminal, which is restored once nobody writes to it any more.
    writer: Writer,
    terminal: Terminal,
    pub input: mpsc::Receiver<InputEvent>,
    frame: Frame,
    /// Where the next chrome is drawn.
    chrome: Buffer,
    pub out_of_band: OutOfBand,
    redraw: Redraw,
    pace: Pace,
    /// Until then the first frame waits for a pane to show.
    first_frame_by: Instant,
}

impl Screen {
    /// `begun` is what another program has begun to read of the terminal.
    ///
    /// # Errors
    /// [`TuiError::Setup`] when the threads that read and write the terminal cannot be started.
    pub fn new(terminal: Terminal, begun: Vec<u8>) -> Result<Self, TuiError> {
        Ok(Self {
            input: terminal.events(begun).map_err(TuiError::Setup)?,
            writer: terminal.writer().map_err(TuiError::Setup)?,
            terminal,
            frame: Frame::new(),
            chrome: Buffer::default(),
            out_of_band: OutOfBand::default(),
            redraw: Redraw::All,
            pace: Pace::default(),
            first_frame_by: Instant::now() + FIRST_FRAME,
        })
    }

    pub fn size(&self) -> (u16, u16) {
        self.terminal.size()
    }

    pub fn environment(&self) -> &Environment {
        self.terminal.environment()
    }

    /// Something is to be drawn again.
    pub fn mark(&mut self, redraw: Redraw) {
        self.redraw = self.redraw.max(redraw);
    }

    /// Distrusts what the terminal shows: the next frame paints everything.
    pub fn repaint(&mut self) {
        self.frame.repaint();
        self.redraw = Redraw::All;
    }

    /// Draws if something changed and a frame may go out; else tells how long until one may.
    pub fn draw_or_wait(&mut self, model: &Model) -> Option<Instant> {
        if self.redraw == Redraw::Nothing && self.out_of_band.is_empty() || !self.writer.is_idle() {
            return None;
        }
        let now = Instant::now();
        // A first frame without its pane would only hold up the one with it.
        let first = (model.session.tab().is_none()).then_some(self.first_frame_by);
        if let Some(next) = self.pace.next().max(first)
            && now < next
        {
            return Some(next);
        }
        fault::point("front", "draw");
        if self.redraw == Redraw::All {
            view::chrome(model, &mut self.chrome);
            self.frame.set_chrome(&mut self.chrome);
        }
        let mut bytes = self.writer.buffer();
        self.out_of_band.drain(&mut bytes);
        self.frame.draw(
            &model.client.theme,
            &view::contents(model),
            &view::modes(model),
            &mut bytes,
        );
        self.redraw = Redraw::Nothing;
        if !bytes.is_empty() {
            self.pace.shown(now);
            self.writer.send(bytes);
        }
        None
    }

    /// Waits for what comes next; input alone where it `takes_input`. Cancel-safe.
    pub async fn next(&mut self, takes_input: bool) -> ScreenEvent {
        tokio::select! {
            biased;
            Some(event) = self.input.recv(), if takes_input => ScreenEvent::Input(event),
            written = self.writer.finished() => ScreenEvent::Written(written),
        }
    }

    /// Waits until the frame in flight is out, but not for a terminal that does not read.
    pub async fn settle(&mut self) {
        if !self.writer.is_idle() {
            let _ = tokio::time::timeout(LEAVE_WITHIN, self.writer.finished()).await;
        }
    }

    /// Reads no more; what was read already still comes out of `input`.
    pub fn stop_reading(&self) {
        self.terminal.stop_reading();
    }

    /// The same, since another program reads on.
    pub fn pass_on_reading(&self) {
        self.terminal.pass_on_reading();
    }

    /// What was read by then and means nothing yet.
    pub fn begun(&self) -> Vec<u8> {
        self.terminal.begun()
    }

    /// What restores the terminal.
    pub fn restore(&self) -> Arc<Restore> {
        self.terminal.restore()
    }

    /// Whether nobody is at the other end any more.
    pub fn is_hung_up(&self) -> bool {
        self.terminal.is_hung_up()
    }

    /// Whether the terminal is still set as it was entered; a shell that had it meanwhile set it otherwise.
    pub fn is_raw(&self) -> bool {
        self.terminal.is_raw()
    }

    /// Takes the terminal again, after a stop that nobody announced as well.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn come_back(&mut self) -> io::Result<()> {
        self.terminal.leave();
        self.terminal.enter()?;
        self.frame.reentered();
        Ok(())
    }
}
