//! What a viewer's connection does next, without a socket or a clock.
//!
//! `assets/link.js` is the same machine: `tests/fixtures/link` holds both to one behaviour. Output is taken once and in
//! order; input is numbered and kept until the instance has dealt with it, so that it is typed once whatever is cut. What
//! was typed without a connection waits after a return until it is known who writes: where another one does, it is
//! given up and told, since typing it would be somebody else's doing.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::event::{Command, ConnectionState, Event};
use crate::domain::code::Code;
use crate::remote::protocol::{
    FRAME_HEAD, MAX_MESSAGE, Notice, Request, Role, ToClient, ToServer, WriterName, close,
};

/// Input kept while there is no connection, in bytes; what is typed beyond it is dropped.
const MAX_PENDING: usize = 64 * 1024;
/// The longest input in one message, in bytes.
const MAX_INPUT: usize = MAX_MESSAGE - 64;
/// Output that is acknowledged at once, in bytes; less than that waits for [`Machine::acknowledge`].
const ACK_BYTES: u64 = 32 * 1024;

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Send(Message),
    Tell(Event),
    /// This socket is of no use any more; another one goes on.
    Drop,
    /// The instance says that it ends.
    Going,
    /// Nothing is to come back.
    End,
}

/// How far the present socket has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is none, or it has not been greeted.
    Detached,
    /// `attach` has been sent.
    Attaching,
    /// It goes on from here; who writes is not known yet.
    Attached,
    /// Input goes out.
    Live,
}

pub(super) struct Machine {
    client: String,
    read_only: bool,
    phase: Phase,
    /// How many sockets there have been.
    attempt: u64,
    epoch: Option<String>,
    /// The number of the next byte of output; None where a fresh screen is needed.
    next_seq: Option<u64>,
    acked: u64,
    next_id: u64,
    pending: VecDeque<(u64, Bytes)>,
    pending_bytes: usize,
}

impl Machine {
    pub fn new(read_only: bool) -> Self {
        Self {
            client: Uuid::new_v4().simple().to_string(),
            read_only,
            phase: Phase::Detached,
            attempt: 0,
            epoch: None,
            next_seq: None,
            acked: 0,
            next_id: 1,
            pending: VecDeque::new(),
            pending_bytes: 0,
        }
    }

    /// A socket is being opened.
    pub fn open(&mut self) {
        self.attempt += 1;
        self.phase = Phase::Detached;
    }

    /// The socket is gone.
    pub fn lost(&mut self) {
        self.phase = Phase::Detached;
    }

    /// Output was taken that is not acknowledged yet.
    pub fn has_unacked(&self) -> bool {
        self.unacked() > 0
    }

    /// Acknowledges what was taken.
    pub fn acknowledge(&mut self) -> Option<Effect> {
        let seq = self.next_seq.filter(|seq| *seq > self.acked)?;
        if !matches!(self.phase, Phase::Attached | Phase::Live) {
            return None;
        }
        self.acked = seq;
        Some(Effect::Send(Message::Binary(
            ToServer::Ack { seq }.encode(),
        )))
    }

    /// The viewer wants something.
    pub fn on_command(&mut self, command: Command) -> Vec<Effect> {
        let is_live = self.phase == Phase::Live;
        match command {
            Command::Resize(size) if is_live => {
                let (cols, rows) = (size.cols(), size.rows());
                vec![Effect::Send(Request::Resize { cols, rows }.to_message())]
            }
            Command::Take if is_live => vec![Effect::Send(Request::Take.to_message())],
            Command::Resize(_) | Command::Take => Vec::new(),
            Command::Input(_) | Command::Paste(_) | Command::Key(_) if self.read_only => Vec::new(),
            Command::Input(bytes) => self.enqueue(bytes.len(), |id| ToServer::Input {
                id,
                bytes: bytes.into(),
            }),
            Command::Paste(text) => self.enqueue(text.len(), |id| ToServer::Paste { id, text }),
            Command::Key(key) => {
                self.enqueue(key.to_string().len(), |id| ToServer::Key { id, key })
            }
        }
    }

    /// The instance sent something.
    pub fn on_message(&mut self, message: &Message) -> Vec<Effect> {
        match message {
            Message::Binary(frame) => self.on_frame(frame),
            Message::Text(text) => self.on_text(text),
            Message::Close(Some(frame)) if u16::from(frame.code) == close::REPLACED => {
                vec![Effect::End]
            }
            Message::Close(Some(frame)) if u16::from(frame.code) == close::GOING_AWAY => {
                vec![Effect::Going]
            }
            Message::Close(_) => vec![Effect::Drop],
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Vec::new(),
        }
    }

    fn on_frame(&mut self, frame: &Bytes) -> Vec<Effect> {
        let is_attached = matches!(self.phase, Phase::Attached | Phase::Live);
        let mut effects = match ToClient::decode(frame) {
            Ok(ToClient::Output { seq, bytes }) if is_attached && Some(seq) == self.next_seq => {
                self.next_seq = seq.checked_add(bytes.len() as u64);
                vec![Effect::Tell(Event::Output(bytes))]
            }
            Ok(ToClient::Snapshot { seq, size, bytes }) if is_attached => {
                self.next_seq = Some(seq);
                vec![Effect::Tell(Event::Snapshot { size, bytes })]
            }
            // Never seen; a fresh screen is better than a garbled one.
            _ => {
                self.next_seq = None;
                return vec![Effect::Drop];
            }
        };
        if self.unacked() >= ACK_BYTES {
            effects.extend(self.acknowledge());
        }
        effects
    }

    fn on_text(&mut self, text: &str) -> Vec<Effect> {
        match serde_json::from_str(text) {
            Ok(Notice::Hello { epoch, .. }) => self.on_hello(epoch),
            Ok(Notice::Attached {
                resumed,
                next_seq,
                input_id,
                ..
            }) if self.phase == Phase::Attaching => self.on_attached(resumed, next_seq, input_id),
            Ok(Notice::Role { role, writer }) => self.on_role(role, writer),
            Ok(Notice::InputAck { id, .. }) => {
                self.forget(id);
                Vec::new()
            }
            Ok(Notice::Error { code, .. }) if code == Code::InputFull.as_str() => {
                vec![Effect::Tell(Event::Unread)]
            }
            Ok(Notice::Exit { code, signal }) => {
                vec![Effect::Tell(Event::Exit { code, signal }), Effect::End]
            }
            // Something newer, or nothing that this viewer needs.
            _ => Vec::new(),
        }
    }

    /// Goes on where the last socket ended, or asks for the present screen.
    fn on_hello(&mut self, epoch: String) -> Vec<Effect> {
        let same = self.epoch.as_ref() == Some(&epoch);
        let next_seq = self.next_seq.filter(|_| same);
        let request = Request::Attach {
            client: self.client.clone(),
            attempt: Some(self.attempt),
            epoch: next_seq.map(|_| epoch.clone()),
            next_seq,
            read_only: self.read_only,
        };
        self.epoch = Some(epoch);
        self.phase = Phase::Attaching;
        vec![Effect::Send(request.to_message())]
    }

    fn on_attached(&mut self, resumed: bool, next_seq: u64, input_id: u64) -> Vec<Effect> {
        self.phase = Phase::Attached;
        if !resumed {
            self.next_seq = Some(next_seq);
            self.acked = next_seq;
        }
        self.forget(input_id);
        self.next_id = self.next_id.max(input_id.saturating_add(1));
        vec![Effect::Tell(Event::State(ConnectionState::Connected))]
    }

    fn on_role(&mut self, role: Role, writer: Option<WriterName>) -> Vec<Effect> {
        let other = match writer {
            Some(WriterName::Front) => Some("front"),
            Some(WriterName::Viewer) => Some("viewer"),
            Some(WriterName::You) | None => None,
        };
        let mut effects = vec![Effect::Tell(Event::Role {
            writer: role == Role::Writer,
            other,
        })];
        if self.phase != Phase::Attached {
            return effects;
        }
        self.phase = Phase::Live;
        if other.is_some() && !self.pending.is_empty() {
            effects.push(Effect::Tell(Event::NotTyped {
                bytes: self.pending_bytes,
            }));
            if let Some((first, _)) = self.pending.front() {
                self.next_id = *first;
            }
            self.pending.clear();
            self.pending_bytes = 0;
        }
        let resent = self.pending.iter();
        effects.extend(resent.map(|(_, frame)| Effect::Send(Message::Binary(frame.clone()))));
        effects
    }

    fn enqueue(&mut self, size: usize, make: impl FnOnce(u64) -> ToServer) -> Vec<Effect> {
        if size > MAX_INPUT {
            return vec![Effect::Tell(Event::TooLong)];
        }
        let is_live = self.phase == Phase::Live;
        if !is_live && self.pending_bytes + size > MAX_PENDING {
            return vec![Effect::Tell(Event::Dropped)];
        }
        let id = self.next_id;
        self.next_id += 1;
        let frame = make(id).encode();
        self.pending_bytes += typed(&frame);
        self.pending.push_back((id, frame.clone()));
        if is_live {
            vec![Effect::Send(Message::Binary(frame))]
        } else {
            Vec::new()
        }
    }

    /// Everything up to an id has been dealt with.
    fn forget(&mut self, id: u64) {
        while self.pending.front().is_some_and(|(first, _)| *first <= id) {
            let frame = self.pending.pop_front().map(|(_, frame)| frame);
            self.pending_bytes -= frame.as_ref().map_or(0, typed);
        }
    }

    fn unacked(&self) -> u64 {
        let next = self.next_seq.unwrap_or(self.acked);
        next.saturating_sub(self.acked)
    }
}

/// The bytes of input in a frame.
fn typed(frame: &Bytes) -> usize {
    frame.len().saturating_sub(FRAME_HEAD)
}

#[cfg(test)]
mod tests;
