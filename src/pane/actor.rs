//! The thread that owns one pane: its pty, its emulator, and the order of everything that happens to them.

use std::time::{Duration, Instant};

use tracing::{debug, error, warn};

use super::child::{self, Child};
use super::emulator::{Emulator, EmulatorEvent, Feedback};
use super::facts::Facts;
use super::final_state::FinalState;
use super::frozen::FrozenPane;
use super::keyframe::Keyframe;
use super::limits::Limits;
use super::mailbox::{Message, Wakeup, input_size};
use super::observer::{Observer, Whereabouts};
use super::parts::PaneParts;
use super::pty::Pty;
use super::publisher::Publisher;
use super::readiness::{self, Interest, Ready};
use super::registry::Slot;
use super::text_wait::TextWaiters;
use super::write_queue::WriteQueue;
use super::{encode, reader};
use crate::domain::agent::{Agent, Sign};
use crate::domain::event::TerminalEvent;
use crate::domain::input::{Attention, Input};
use crate::domain::screen::InputModes;
use crate::domain::size::Size;
use crate::domain::terminal::Status;
use crate::runtime::fault;

/// How much output is read before anything else gets its turn: a few milliseconds of emulation.
const READ_LIMIT: usize = 64 * 1024;

/// A read of fewer bytes most likely left nothing: what came since is polled for, which costs no call more.
const FEW: usize = 1024;

/// How long a hidden pane rests after so much at once while another one is watched: some 20 MB a second are left to it,
/// and the processors to what the user looks at.
const REST: Duration = Duration::from_millis(2);

/// The rows of history that viewers are sent again with every change of size.
const RESIZE_HISTORY: usize = 500;

/// How many bytes of replies to queries may wait for a program that asks and does not read.
const MAX_REPLIES: usize = 64 * 1024;

/// What a pane takes up that another program left, besides its emulator and its pty.
pub(super) struct Leftover {
    pub hung_up: bool,
    /// Typed and not yet taken by the program.
    pub input: Vec<u8>,
    pub born: Instant,
    pub last_activity: Instant,
    pub terminating: bool,
}

/// One pane. Runs on its own thread until the terminal's session is gone.
pub(super) struct Actor {
    parts: PaneParts,
    wakeup: Wakeup,
    /// None once it has been closed.
    pty: Option<Pty>,
    /// Every slave is closed: there is nothing more to read or to write to.
    hung_up: bool,
    emulator: Emulator,
    feedback: Feedback,
    buffer: Vec<u8>,
    input: WriteQueue,
    /// Until then output waits.
    rest_until: Option<Instant>,
    publisher: Publisher,
    observer: Observer,
    waiters: TextWaiters,
    limits: Limits,
    born: Instant,
    last_activity: Instant,
    child: Child,
    /// It is to go on in another program.
    freezing: bool,
}

impl Actor {
    pub fn new(
        parts: PaneParts,
        wakeup: Wakeup,
        pty: Pty,
        emulator: Emulator,
        publisher: Publisher,
        limits: Limits,
        observer: Observer,
    ) -> Self {
        let now = Instant::now();
        Self {
            wakeup,
            pty: Some(pty),
            hung_up: false,
            emulator,
            feedback: Feedback::default(),
            buffer: vec![0; READ_LIMIT],
            input: WriteQueue::default(),
            rest_until: None,
            publisher,
            observer,
            waiters: TextWaiters::default(),
            limits,
            born: now,
            last_activity: now,
            child: Child::new(parts.facts.pid),
            parts,
            freezing: false,
        }
    }

    /// Goes on where another program left off. Its end begins anew, where that had begun.
    pub fn resume(&mut self, left: &Leftover) {
        self.hung_up = left.hung_up;
        self.parts.mailbox.resume_pending(left.input.len());
        self.input.tail().extend_from_slice(&left.input);
        self.born = left.born;
        self.last_activity = left.last_activity;
        if left.terminating {
            self.terminate(Instant::now());
        }
    }

    fn facts(&self) -> &Facts {
        &self.parts.facts
    }

    /// Runs the pane to its end. `slot` is given back when the child has been reaped. Comes back early, with all that is
    /// needed to go on, where the pane is to go on in another program.
    pub fn run(mut self, slot: &mut Option<Slot>) -> Option<FrozenPane> {
        // The child may have ended before anybody listened for it.
        self.child.check();
        while !self.child.is_finished(self.hung_up, Instant::now()) {
            let ready = self.poll();
            if ready.mail {
                self.deliver();
            }
            if self.freezing {
                return Some(self.freeze());
            }
            if ready.writable {
                self.write();
            }
            if ready.readable {
                self.read();
            }
            self.keep_time(Instant::now());
        }
        self.finish(slot);
        None
    }

    fn freeze(self) -> FrozenPane {
        FrozenPane {
            terminating: self.child.is_terminating(),
            pty: self.pty,
            hung_up: self.hung_up,
            emulator: self.emulator,
            input: self.input,
            born: self.born,
            last_activity: self.last_activity,
            publisher: self.publisher,
        }
    }

    fn poll(&self) -> Ready {
        let pty = self.pty.as_ref().filter(|_| !self.hung_up);
        let interest = Interest {
            output: self.rest_until.is_none(),
            input: !self.input.is_empty(),
        };
        let left = self
            .next_deadline()
            .map(|due| due.saturating_duration_since(Instant::now()));
        readiness::wait(&self.wakeup, pty, interest, left).unwrap_or_else(|error| {
            // Nothing is known of the descriptors: look at all of them.
            error!(id = %self.facts().id, %error, "poll failed");
            Ready::ALL
        })
    }

    fn next_deadline(&self) -> Option<Instant> {
        [
            self.publisher.due(),
            self.observer.due(),
            self.child.due(),
            self.rest_until,
            self.limit_due().map(|(due, _)| due),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When a limit ends the terminal, and which; None where the end has begun already.
    fn limit_due(&self) -> Option<(Instant, &'static str)> {
        if self.child.is_terminating() {
            return None;
        }
        self.limits.due(self.born, self.last_activity)
    }

    fn keep_time(&mut self, now: Instant) {
        self.rest_until = self.rest_until.filter(|until| *until > now);
        self.publisher.advance(&self.emulator, now);
        self.child.advance(now);
        if self.observer.due().is_some_and(|due| due <= now) {
            let place = whereabouts(self.pty.as_ref(), &self.parts);
            let agent = self.observer.keep_time(place, now);
            self.tell_agent(agent);
        }
        if let Some((_, limit)) = self.limit_due().filter(|(due, _)| *due <= now) {
            warn!(id = %self.facts().id, limit, "ending a terminal at its limit");
            self.terminate(now);
        }
    }

    fn deliver(&mut self) {
        let delivery = self.parts.mailbox.take(&self.wakeup);
        let now = Instant::now();
        for message in delivery.messages {
            self.handle(message, now);
        }
        if delivery.kill {
            self.terminate(now);
        }
        if delivery.check_child {
            self.child.check();
        }
        self.freezing |= delivery.freeze;
        self.write();
    }

    fn handle(&mut self, message: Message, now: Instant) {
        match message {
            Message::Input(input) => self.type_in(&input, now),
            Message::Resize(size) => self.resize(size, now),
            Message::Watchers => {
                self.publisher.watchers_changed(&self.emulator, now);
                if !self.parts.feed.is_watched() {
                    self.emulator.forget_rewraps();
                }
            }
            Message::Seen => self.sign(&Sign::Seen, now),
            Message::Wire(fact) => {
                let place = whereabouts(self.pty.as_ref(), &self.parts);
                let agent = self.observer.wire(fact, place, now);
                self.observer.mark(&self.emulator);
                self.tell_agent(agent);
            }
            Message::HistoryLines(lines) => self.emulator.set_history_lines(lines),
            Message::Limits(limits) => self.limits = limits,
            Message::Capture { scrollback, reply } => {
                let _ = reply.send(reader::capture(&self.emulator, scrollback));
            }
            Message::Keyframe { history, reply } => {
                // From here on output is kept, so that nothing is missing between this screen and what comes after.
                let (seq, number) = self.parts.output.open();
                let _ = reply.send(self.keyframe(seq, number, history));
            }
            Message::Rows { range, reply } => {
                let _ = reply.send(reader::rows(&self.emulator, range));
            }
            Message::PlacesNow {
                since,
                places,
                reply,
            } => {
                let _ = reply.send(reader::places_now(&self.emulator, since, &places));
            }
            Message::Search { search, reply } => {
                let _ = reply.send(reader::search(&self.emulator, &search));
            }
            Message::WaitText { pattern, reply } => {
                self.waiters.add(pattern, reply);
                self.waiters.answer(&self.emulator);
            }
        }
    }

    fn type_in(&mut self, input: &Input, now: Instant) {
        fault::point("pane", &self.facts().info().name);
        let before = self.input.len();
        let modes = self.emulator.input_modes();
        match self.shift_enter(input, &modes) {
            Some(text) => self.input.tail().extend_from_slice(text.as_bytes()),
            None => encode::encode(
                input,
                &modes,
                self.emulator.alternate_screen(),
                self.input.tail(),
            ),
        }
        self.parts
            .mailbox
            .encoded(input_size(input), self.input.len() - before);
        self.last_activity = now;
        match input.attention() {
            Attention::Acts => self.sign(&Sign::Input, now),
            Attention::Looks => self.sign(&Sign::Seen, now),
            Attention::None => {}
        }
        let place = whereabouts(self.pty.as_ref(), &self.parts);
        if self.observer.lost_guest(place) {
            self.facts().update(|info| info.agent = None);
        }
    }

    /// What Shift+Enter is to the agent that reads it, where it would be Enter otherwise.
    fn shift_enter(&self, input: &Input, modes: &InputModes) -> Option<String> {
        if !encode::is_plain_shift_enter(input, modes) {
            return None;
        }
        let place = whereabouts(self.pty.as_ref(), &self.parts);
        self.observer.adapter(place)?.shift_enter.clone()
    }

    fn resize(&mut self, size: Size, now: Instant) {
        if self.facts().info().size == size {
            return;
        }
        let rewraps = self.emulator.rewraps();
        self.emulator.resize(size);
        if self.emulator.rewraps() != rewraps {
            self.waiters.renumbered();
        }
        if let Some(Err(error)) = self.pty.as_ref().map(|pty| pty.resize(size)) {
            warn!(id = %self.facts().id, %error, "the pty took no new size");
        }
        self.facts().update(|info| info.size = size);
        let agent = self.observer.resized(&self.emulator, now);
        self.tell_agent(agent);
        self.restate();
        self.publisher.changed(&self.emulator, now);
    }

    /// Puts the screen into the viewers' stream, where what they have cannot be led on by output alone.
    fn restate(&self) {
        let output = &self.parts.output;
        if output.is_open() {
            output.add_keyframe(self.keyframe(output.head(), 0, RESIZE_HISTORY));
        }
    }

    fn keyframe(&self, seq: u64, number: u64, history: usize) -> Keyframe {
        let size = self.facts().info().size;
        Keyframe::of(&self.emulator, size, seq, number, history)
    }

    fn write(&mut self) {
        let Some(pty) = self.pty.as_ref().filter(|_| !self.hung_up) else {
            self.input.clear();
            return;
        };
        while !self.input.is_empty() {
            match pty.write(self.input.head()) {
                Ok(0) => break,
                Ok(count) => {
                    self.input.consume(count);
                    self.parts.mailbox.written(count);
                }
                Err(error) => {
                    debug!(id = %self.facts().id, %error, "the pty takes no input");
                    self.input.clear();
                }
            }
        }
    }

    fn read(&mut self) {
        let Some(pty) = &self.pty else { return };
        let mut filled = 0;
        while let Some(space) = self
            .buffer
            .get_mut(filled..)
            .filter(|space| !space.is_empty())
        {
            match pty.read(space) {
                Ok(None) => break,
                Ok(Some(0)) => {
                    self.hung_up = true;
                    break;
                }
                Ok(Some(count)) => {
                    filled += count;
                    if count < FEW {
                        break;
                    }
                }
                Err(error) => {
                    warn!(id = %self.facts().id, %error, "reading from the pty failed");
                    self.hung_up = true;
                    break;
                }
            }
        }
        if filled > 0 {
            self.feed(filled);
        }
        if filled == READ_LIMIT && self.parts.feed.only_others_are_watched() {
            self.rest_until = Some(Instant::now() + REST);
        }
        if self.hung_up {
            self.child.check();
        }
    }

    fn feed(&mut self, count: usize) {
        let now = Instant::now();
        let before = self.emulator.version();
        let bytes = self.buffer.get(..count).unwrap_or_default();
        self.emulator.feed(bytes, &mut self.feedback);
        self.parts.output.append(bytes);
        self.publisher.output(bytes, &self.emulator, before, now);
        self.last_activity = now;
        if !self.feedback.replies.is_empty() {
            if self.input.len() < MAX_REPLIES {
                self.input.tail().append(&mut self.feedback.replies);
                self.write();
            }
            self.feedback.replies.clear();
        }
        let agent = self.observer.output(&self.emulator, now);
        self.tell_agent(agent);
        let mut events = std::mem::take(&mut self.feedback.events);
        for event in events.drain(..) {
            self.react(event, now);
        }
        // Handed back for its capacity.
        self.feedback.events = events;
        self.waiters.answer(&self.emulator);
    }

    fn react(&mut self, event: EmulatorEvent, now: Instant) {
        let id = self.facts().id;
        match event {
            EmulatorEvent::Title(title) => {
                self.facts().update(|info| info.title.clone_from(&title));
                self.sign(&Sign::Title(title), now);
            }
            EmulatorEvent::Bell => {
                self.sign(&Sign::Notification(String::new()), now);
                self.facts().tell(TerminalEvent::Bell { id });
            }
            EmulatorEvent::Notification(text) => {
                self.sign(&Sign::Notification(text.clone()), now);
                self.facts().tell(TerminalEvent::Notification { id, text });
            }
            EmulatorEvent::Progress(state) => {
                self.sign(
                    &Sign::Progress {
                        running: matches!(state, 1 | 3),
                    },
                    now,
                );
            }
            EmulatorEvent::Clipboard(text) => {
                self.facts().tell(TerminalEvent::Clipboard { id, text });
            }
            EmulatorEvent::WorkingDirectory(path) => self.facts().set_directory(path.into()),
            EmulatorEvent::PromptMark(mark) => {
                let running = mark == 'C';
                if running || matches!(mark, 'A' | 'D') {
                    self.sign(&Sign::Command { running }, now);
                }
            }
            EmulatorEvent::Reset => {
                error!(%id, "the emulator panicked and was rebuilt");
                self.restate();
                self.facts().tell(TerminalEvent::EmulatorReset { id });
            }
        }
    }

    fn sign(&mut self, sign: &Sign, now: Instant) {
        let agent = self.observer.sign(sign, now);
        self.tell_agent(agent);
    }

    /// Lets everybody know what the agent is doing now, where that changed.
    fn tell_agent(&self, changed: Option<Agent>) {
        if changed.is_some() {
            self.facts().update(|info| info.agent = changed);
        }
    }

    fn terminate(&mut self, now: Instant) {
        if self.child.terminate(self.limits.kill_grace, now) {
            self.facts().update(|info| info.ending = true);
        }
    }

    /// Reaps the child, lets everybody know, and stays until the last of its session is gone.
    fn finish(mut self, slot: &mut Option<Slot>) {
        let killed = self.child.is_terminating();
        self.waiters.answer(&self.emulator);
        let output = &self.parts.output;
        let last = output
            .is_open()
            .then(|| self.keyframe(output.head(), 0, RESIZE_HISTORY));
        let (exit, termination) = self.child.reap(self.limits.kill_grace, Instant::now());
        self.pty = None;
        *slot = None;

        let PaneParts {
            facts,
            mailbox,
            output,
            ..
        } = &self.parts;
        output.end(last);
        let unseen = !self.publisher.has_published(self.emulator.version());
        let final_state = FinalState::new(self.emulator, !killed);
        let last = unseen.then(|| final_state.capture(false).screen);
        // First what is left, then the last publication: whoever begins to watch in between finds one of the two.
        *self.parts.final_state() = Some(final_state);
        self.publisher.finish(last);
        mailbox.close();
        drop(self.waiters);
        facts.end(|info| {
            info.status = Status::Dead;
            info.exit = Some(exit);
        });
        debug!(id = %facts.id, ?exit, "terminal ended");
        facts.tell(TerminalEvent::Exited { id: facts.id, exit });
        child::wait_session_exit(termination, facts, mailbox);
    }
}

/// Borrows no more than these, so that the observer can be changed meanwhile.
fn whereabouts<'a>(pty: Option<&'a Pty>, parts: &PaneParts) -> Whereabouts<'a> {
    Whereabouts {
        pty,
        first: parts.facts.pid,
    }
}

/// Ends a terminal whose thread panicked: its session is killed, the child reaped and everybody told.
pub(super) fn reap_panicked(parts: &PaneParts, slot: &mut Option<Slot>) {
    let PaneParts {
        facts,
        mailbox,
        output,
        feed,
        ..
    } = parts;
    error!(id = %facts.id, "the pane's thread panicked; its session is killed");
    let (exit, termination) = child::kill_and_reap(facts.pid);
    *slot = None;
    output.end(None);
    // The emulator went down with the thread; what was last shown is all there is.
    *parts.final_state() = Some(FinalState::of_screen(feed.last_published()));
    mailbox.close();
    facts.end(|info| {
        info.status = Status::Dead;
        info.exit = Some(exit);
    });
    facts.tell(TerminalEvent::Exited { id: facts.id, exit });
    child::wait_session_exit(termination, facts, mailbox);
}
