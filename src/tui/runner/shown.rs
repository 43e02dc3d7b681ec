//! The terminal that shows the session now: what comes from it and from its lender, and how it is left.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::screen::{Screen, ScreenEvent};
use crate::runtime::lend::{BorrowerEvent, Departure, LenderEvent, LentTerminal};
use crate::tui::error::TuiError;
use crate::tui::input::{InputEvent, READING_ENDS_WITHIN};
use crate::tui::kept::KeptBegun;
use crate::tui::link::FrontStatus;
use crate::tui::outer::{Environment, Restore, Terminal};

/// What comes from a terminal that shows the session.
pub(super) enum ShownEvent {
    Screen(ScreenEvent),
    Lender(LenderEvent),
}

pub(super) struct Shown {
    pub screen: Screen,
    /// What the terminal answered about its background.
    pub is_light: Option<bool>,
    /// Who waits for the terminal to be left.
    pub waiters: Vec<oneshot::Sender<()>>,
    lender: Lender,
    since: Timestamp,
    tty: String,
}

/// The process whose terminal it is.
pub(super) struct Lender {
    pub pid: u32,
    events: mpsc::Receiver<LenderEvent>,
    told: mpsc::Sender<BorrowerEvent>,
}

impl Lender {
    /// Of a terminal that is not taken.
    pub fn of(lent: LentTerminal) -> Self {
        Self {
            pid: lent.offer.pid,
            events: lent.events,
            told: lent.told,
        }
    }

    /// Tells that the terminal is left, or never was taken.
    pub fn tell(&self, departure: Departure) {
        // It is told two things, for which there is room.
        let _ = self.told.try_send(BorrowerEvent::Left(departure));
    }
}

impl Shown {
    /// Takes a terminal, now. `begun` is what another program has begun to read, and of which device.
    ///
    /// # Errors
    /// [`TuiError`] when it cannot be set up, with whom to tell.
    pub fn open(lent: LentTerminal, begun: Option<KeptBegun>) -> Result<Self, (TuiError, Lender)> {
        let LentTerminal {
            input,
            output,
            offer,
            events,
            told,
        } = lent;
        // From here on its lender restores what this process might leave undone.
        let _ = told.try_send(BorrowerEvent::Shown);
        let lender = Lender {
            pid: offer.pid,
            events,
            told,
        };
        let environment = Environment::told(&offer.environment);
        let terminal = Terminal::open(input, output, environment, Some(offer.modes));
        let opened = terminal.and_then(|terminal| {
            let tty = terminal.name();
            // What somebody began to type elsewhere is not typed on here.
            let begun = begun.filter(|begun| begun.tty == tty);
            let begun = begun.map(|begun| begun.bytes).unwrap_or_default();
            Ok((Screen::new(terminal, begun)?, tty))
        });
        match opened {
            Ok((screen, tty)) => Ok(Self {
                screen,
                is_light: None,
                waiters: Vec::new(),
                lender,
                since: Timestamp::now(),
                tty,
            }),
            Err(error) => Err((error, lender)),
        }
    }

    pub fn pid(&self) -> u32 {
        self.lender.pid
    }

    pub fn status(&self) -> FrontStatus {
        let (cols, rows) = self.screen.size();
        FrontStatus {
            since: self.since,
            tty: self.tty.clone(),
            cols,
            rows,
            pid: self.lender.pid,
        }
    }

    pub fn restore(&self) -> Arc<Restore> {
        self.screen.restore()
    }

    /// Waits for what comes next; input alone where it `takes_input`. Cancel-safe.
    pub async fn next(&mut self, takes_input: bool) -> ShownEvent {
        tokio::select! {
            biased;
            event = self.lender.events.recv() => {
                ShownEvent::Lender(event.unwrap_or(LenderEvent::Gone))
            }
            event = self.screen.next(takes_input) => ShownEvent::Screen(event),
        }
    }

    /// Reads no more, since another program reads on from what is begun, and answers what was read already.
    pub async fn pass_on_input(&mut self) -> (Vec<InputEvent>, KeptBegun) {
        self.screen.pass_on_reading();
        let last = self.rest_of_input().await;
        let begun = KeptBegun {
            tty: self.tty.clone(),
            bytes: self.screen.begun(),
        };
        (last, begun)
    }

    /// Reads no more, and answers what was read already.
    pub async fn last_input(&mut self) -> Vec<InputEvent> {
        self.screen.stop_reading();
        self.rest_of_input().await
    }

    async fn rest_of_input(&mut self) -> Vec<InputEvent> {
        let mut last = Vec::new();
        let reading = async {
            while let Some(event) = self.screen.input.recv().await {
                if event == InputEvent::Closed {
                    break;
                }
                last.push(event);
            }
        };
        let _ = timeout(READING_ENDS_WITHIN, reading).await;
        last
    }

    /// Restores the terminal and tells its lender; answers who else is to be told.
    pub async fn leave(mut self, departure: Departure) -> Vec<oneshot::Sender<()>> {
        self.screen.settle().await;
        if departure == Departure::Again {
            self.screen.restore().pass_on();
        }
        drop(self.screen);
        self.lender.tell(departure);
        self.waiters
    }
}
