//! The way to talk to one pane.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

use super::activity::Activity;
use super::attach::{Attachment, Attachments};
use super::error::PaneError;
use super::final_state::FinalState;
use super::kept::KeptAttachments;
use super::keyframe::Keyframe;
use super::mailbox::Message;
use super::output::OutputCursor;
use super::parts::PaneParts;
use super::query::{Capture, Match, PlacesNow, RowWindow, Search, WaitFor};
use super::screen_feed::ScreenWatch;
use super::session;
use crate::domain::agent::WireFact;
use crate::domain::id::TerminalId;
use crate::domain::input::Input;
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, Status, TerminalInfo, TerminalSpec};
use crate::domain::writer::{Access, ViewerId, Writer};
use crate::runtime::proc;

/// Talks to one pane; cheap to clone. The terminal goes on living when every handle is dropped.
#[derive(Clone)]
pub struct PaneHandle {
    parts: PaneParts,
    attachments: Arc<Attachments>,
}

impl PaneHandle {
    pub(super) fn new(parts: PaneParts) -> Self {
        let attachments = Attachments::new(Arc::clone(&parts.facts), Arc::clone(&parts.mailbox));
        Self {
            parts,
            attachments: Arc::new(attachments),
        }
    }

    pub(super) fn parts(&self) -> &PaneParts {
        &self.parts
    }

    /// Names the terminal, for as long as tundra runs.
    pub fn id(&self) -> TerminalId {
        self.parts.facts.id
    }

    /// The terminal's facts as of now.
    pub fn info(&self) -> TerminalInfo {
        self.parts.facts.info().clone()
    }

    /// Queues input without waiting.
    ///
    /// # Errors
    /// [`PaneError::InputFull`] when the program has left too much unread, [`PaneError::Dead`] when it has ended;
    /// nothing of this input is typed then.
    pub fn try_input(&self, input: Input) -> Result<(), PaneError> {
        self.parts.mailbox.try_input(input)
    }

    /// Sets the size; of several in a row only the last may be applied. A terminal that has ended keeps its size.
    pub fn resize(&self, size: Size) {
        self.tell(Message::Resize(size));
    }

    /// Sets the name. An empty one is left out.
    pub fn rename(&self, name: &str) {
        let name = name.trim();
        if !name.is_empty() {
            self.parts.facts.update(|info| {
                name.clone_into(&mut info.name);
                info.named = true;
            });
        }
    }

    /// Where the program in the terminal is now: as it told (OSC 7), else as the kernel knows of the first process.
    pub fn working_directory(&self) -> PathBuf {
        self.parts.facts.working_directory()
    }

    /// The name of the program that the terminal's keys go to now, as the kernel has it: the leader of the foreground
    /// process group. None once that has ended.
    pub fn foreground_program(&self) -> Option<String> {
        let group = session::foreground_group(self.parts.facts.pid)?;
        proc::process(group.as_raw_nonzero().get().cast_unsigned()).map(|process| process.name)
    }

    /// Looks whether the programs in the terminal's foreground are at work.
    pub fn activity(&self) -> Activity {
        Activity::of_session(self.parts.facts.pid)
    }

    /// What it was started with.
    pub fn spec(&self) -> Option<TerminalSpec> {
        self.parts.facts.spec.get().cloned()
    }

    /// Whether its first process is on the terminal of that device number.
    pub fn is_on(&self, device: u64) -> bool {
        // proc_pid_stat(5): the minor number stands in two pieces.
        session::ancestor(self.parts.facts.pid).is_some_and(|process| {
            let number = process.tty.cast_unsigned();
            let minor = (number & 0xff) | ((number >> 12) & 0xfff00);
            let major = (number >> 8) & 0xfff;
            (major, minor) == (rustix::fs::major(device), rustix::fs::minor(device))
        })
    }

    /// Notes who decides its size and life from now on.
    pub fn set_owner(&self, owner: Owner) {
        self.attachments.set_owner(owner);
    }

    /// The user has looked at this pane: an agent that was done becomes idle.
    pub fn seen(&self) {
        self.tell(Message::Seen);
    }

    /// Something happened to a request of its programs at the gateway.
    pub fn wire(&self, fact: WireFact) {
        self.tell(Message::Wire(fact));
    }

    /// Begins to end the terminal's whole session: HUP, TERM, and after the grace KILL. Doing so twice does no harm.
    pub fn kill(&self) {
        self.parts.mailbox.kill();
    }

    /// Starts to publish snapshots; until the first arrives the watch holds a blank one. A terminal that has ended
    /// shows its last screen.
    pub fn watch(&self) -> ScreenWatch {
        let mut watch = ScreenWatch::new(self.id(), &self.parts.feed, &self.parts.mailbox);
        if let Some(final_state) = self.parts.final_state().as_ref() {
            watch.freeze(final_state.capture(false).screen);
        }
        watch
    }

    /// The screen now, with the whole history where asked for. A terminal that has ended shows its last screen.
    /// Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] where nothing is left of the terminal.
    pub async fn capture(&self, scrollback: bool) -> Result<Capture, PaneError> {
        let asked = self
            .parts
            .mailbox
            .ask(|reply| Message::Capture { scrollback, reply })
            .await;
        match asked {
            Some(capture) => Ok(capture),
            None => self.read_final_state(|final_state| final_state.capture(scrollback)),
        }
    }

    /// Reads rows by absolute number; what lies outside of history and screen is left out. Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] where nothing is left of the terminal.
    pub async fn rows(&self, range: Range<u64>) -> Result<RowWindow, PaneError> {
        let wanted = range.clone();
        let asked = self
            .parts
            .mailbox
            .ask(|reply| Message::Rows {
                range: wanted,
                reply,
            })
            .await;
        match asked {
            Some(window) => Ok(window),
            None => self.read_final_state(|final_state| final_state.rows(range)),
        }
    }

    /// Where places (absolute row and column) are now that were told when the count of
    /// [`rewraps`](crate::domain::screen::ScreenSnapshot::rewraps) was `since`. Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] where the terminal has ended: its rows stay where they are.
    pub async fn places_now(
        &self,
        since: u64,
        places: Vec<(u64, u16)>,
    ) -> Result<PlacesNow, PaneError> {
        let question = |reply| Message::PlacesNow {
            since,
            places,
            reply,
        };
        let asked = self.parts.mailbox.ask(question).await;
        asked.ok_or(PaneError::Dead(self.id()))
    }

    /// The nearest hit in the search's direction. Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] where nothing is left of the terminal.
    pub async fn search(&self, search: Search) -> Result<Option<Match>, PaneError> {
        let wanted = search.clone();
        let asked = self
            .parts
            .mailbox
            .ask(|reply| Message::Search {
                search: wanted,
                reply,
            })
            .await;
        match asked {
            Some(found) => Ok(found),
            None => self.read_final_state(|final_state| final_state.search(&search)),
        }
    }

    /// Waits until everything asked of the pane so far has been done, such as a resize. Cancel-safe.
    pub async fn settled(&self) {
        // An answered question has every earlier message behind it; a dead pane has none to do.
        let question = |reply| Message::Rows { range: 0..0, reply };
        let _ = self.parts.mailbox.ask(question).await;
    }

    /// Waits until it holds; true if it does, false if the terminal ended and it never will. Cancel-safe.
    pub async fn wait(&self, what: WaitFor) -> bool {
        let facts = &self.parts.facts;
        match what {
            WaitFor::Text(pattern) => self.wait_text(pattern).await,
            WaitFor::Exit => facts.wait_info(|info| info.status == Status::Dead).await,
            WaitFor::Status(status) => facts.wait_info(|info| info.status == status).await,
            WaitFor::State(state) => {
                let holds = |info: &TerminalInfo| {
                    let agent = info.agent.as_ref();
                    agent.is_some_and(|agent| agent.state == state)
                };
                facts.wait_info(holds).await
            }
        }
    }

    async fn wait_text(&self, pattern: regex::Regex) -> bool {
        let wanted = pattern.clone();
        let asked = self
            .parts
            .mailbox
            .ask(|reply| Message::WaitText {
                pattern: wanted,
                reply,
            })
            .await;
        match asked {
            Some(found) => found,
            None => self
                .read_final_state(|final_state| final_state.contains(&pattern))
                .unwrap_or(false),
        }
    }

    /// Waits until the terminal has ended and no process of its session is left. Cancel-safe.
    pub async fn wait_session_gone(&self) {
        let facts = &self.parts.facts;
        facts.wait_until(|| facts.is_session_gone()).await;
    }

    /// Lets a viewer in. The first one of full access writes, unless a front end shows the pane.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub fn attach(&self, access: Access) -> Result<Attachment, PaneError> {
        self.attachments.attach(access)
    }

    /// Lets a viewer in again that was attached in another program, as the one it was.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub fn rejoin(&self, id: ViewerId, access: Access) -> Result<Attachment, PaneError> {
        self.attachments.rejoin(id, access)
    }

    /// Counts who is attached, once all have rejoined.
    pub fn settle_viewers(&self) {
        self.attachments.settle();
    }

    pub(super) fn keep_attachments(&self) -> KeptAttachments {
        self.attachments.keep()
    }

    pub(super) fn resume_attachments(&self, kept: &KeptAttachments) {
        self.attachments.resume(kept);
    }

    /// How often somebody has attached.
    pub fn attach_count(&self) -> u64 {
        self.attachments.attach_count()
    }

    /// Who writes now, and every change of it.
    pub fn writer(&self) -> watch::Receiver<Option<Writer>> {
        self.attachments.writer()
    }

    /// Gives up the place of a writer that was cut off, once the time is over that [`Attachment::leave`] was told.
    pub fn expire_writer(&self) {
        self.attachments.expire_writer();
    }

    /// Queues what the front end's user did. A key takes the pane back from a viewer, with the size that the front end
    /// has; the mouse passing over it does not, and is not told to the program then.
    ///
    /// # Errors
    /// As [`PaneHandle::try_input`].
    pub fn try_input_from_front(&self, input: Input) -> Result<(), PaneError> {
        if self.attachments.admit_front(&input) {
            self.try_input(input)
        } else {
            Ok(())
        }
    }

    /// Sets the size that the front end shows the pane in; while a viewer writes it is only remembered.
    pub fn resize_from_front(&self, size: Size) {
        self.attachments.set_front_size(size);
    }

    /// No front end shows the pane any more, so that a viewer may write to it.
    pub fn leave_front(&self) {
        self.attachments.leave_front();
    }

    /// Reads the output from the present on, after a keyframe with at most `history` rows of history. Cancel-safe.
    ///
    /// # Errors
    /// [`PaneError::Dead`] when the terminal has ended.
    pub async fn output(&self, history: usize) -> Result<(Arc<Keyframe>, OutputCursor), PaneError> {
        let PaneParts {
            output, mailbox, ..
        } = &self.parts;
        OutputCursor::fresh(self.id(), output, mailbox, history).await
    }

    /// Reads the output on from `next`; None where that is no longer kept.
    pub fn output_from(&self, next: u64) -> Option<OutputCursor> {
        let PaneParts {
            output, mailbox, ..
        } = &self.parts;
        OutputCursor::resume(self.id(), output, mailbox, next)
    }

    /// The numbers of the oldest byte of output kept and of the next one to come.
    pub fn output_extent(&self) -> (u64, u64) {
        self.parts.output.extent()
    }

    /// Keeps at most so many bytes of output for viewers.
    pub fn set_replay_bytes(&self, bytes: usize) {
        self.parts.output.set_capacity(bytes);
    }

    /// Posts what needs no answer and loses its meaning when the terminal has ended.
    fn tell(&self, message: Message) {
        let _ = self.parts.mailbox.post(message);
    }

    fn read_final_state<T>(&self, read: impl FnOnce(&FinalState) -> T) -> Result<T, PaneError> {
        self.parts
            .final_state()
            .as_ref()
            .map(read)
            .ok_or(PaneError::Dead(self.id()))
    }
}

impl fmt::Debug for PaneHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PaneHandle").field(&self.id()).finish()
    }
}
