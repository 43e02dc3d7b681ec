//! The wire of `/ws/terminal/{id}`: the subprotocol `tundra.v1`.
//!
//! A socket opened without a subprotocol speaks the plain mode instead: the terminal's bytes in binary frames, input in
//! binary or text frames, three JSON messages (`input`, `resize`, `ping`); its client is attached once the handshake is
//! answered. This page is about `tundra.v1` alone.
//!
//! # Binary frames
//! The first byte tells the kind; numbers are big-endian.
//!
//! | kind | direction | then |
//! |---|---|---|
//! | `0x01` OUTPUT | to the client | `u64 seq`, the number of the first byte; at most 16 KiB of output |
//! | `0x02` SNAPSHOT | to the client | `u64 seq`, `u16 cols`, `u16 rows`, bytes |
//! | `0x10` INPUT | to the server | `u64 id`, bytes as a terminal sends them |
//! | `0x11` PASTE | to the server | `u64 id`, UTF-8 text; the server cleans it and adds the brackets |
//! | `0x13` KEY | to the server | `u64 id`, a key by its name as `tundra send --key` takes it (`shift-enter`) |
//! | `0x12` ACK | to the server | `u64 seq`, the number of the byte after the last one parsed |
//!
//! Every byte that the program in a terminal has written is numbered from 0. A SNAPSHOT puts a terminal that has been
//! reset and resized to `cols` x `rows` into the state it has at `seq`; the next OUTPUT begins there. It is sent at the
//! start, after every change of size, and to whoever has fallen behind.
//!
//! # Text frames
//! JSON objects with a `type`. To the client:
//!
//! - `hello`: `{"protocol":"tundra.v1","epoch","terminal","owner","cols","rows","ring_start","head"}`, first of all.
//!   `epoch` names the numbering: numbers of another epoch mean nothing.
//! - `attached`: `{"resumed","next_seq","input_id","read_only"}` answers `attach`. `resumed` is true where OUTPUT goes on
//!   exactly at the `next_seq` asked for. `input_id` is the last input of this client that has been typed.
//! - `role`: `{"role":"writer"|"viewer","writer":"you"|"front"|"viewer"|null}`, at every change.
//! - `input_ack`: `{"id","typed"}`: everything up to `id` has been dealt with; `typed` is false where another one writes.
//! - `exit`: `{"code","signal"}`, after the last output; the socket closes with 1000.
//! - `pong`, `error`: `{"code","message"}`.
//!
//! To the server:
//!
//! - `attach`: `{"client","attempt"?,"epoch"?,"next_seq"?,"read_only"?}`, first of all and within 5 s. `client` is a text of
//!   16 to 64 letters, digits and `-` that the client draws once: a second socket of the same client takes the first
//!   one's place, its role included, and closes it with 4001. `attempt` counts the client's sockets, so that one which
//!   was long on its way does not take the place of a newer one.
//! - `resize`: `{"cols","rows"}`; `take`: become the writer; `ping`.
//!
//! # Input
//! A KEY is encoded by the server, as the program in the terminal has asked for (application modes, kitty flags,
//! modifyOtherKeys), or as its agent's adapter says where it asked for nothing: a client need know none of it.
//!
//! Ids count up by one from 1 for each client and terminal; a gap closes with 1002. The client keeps what has not been
//! acknowledged and sends it again, in order and with the same ids, after `attached`; the server types each id once. Input
//! for a program that reads nothing waits for 5 s and is then dropped: `error` with the code `input_full`, and `typed` false.
//!
//! # The writer's place
//! A writer that was cut off keeps its place for `remote.reconnect_grace`; one that closes does not, unless with 4010, which
//! says that it comes back. After `attached` comes `role`. What the client typed in between it sends where it writes or
//! nobody does; where another one does it gives that up and tells its user, since the server would not type it.
//!
//! # Flow
//! The client acknowledges what it has parsed. With [`WINDOW`] bytes on their way, or as much as the shortest round trip
//! to this client needs (at least 64 KiB), the server waits; after
//! [`STALL`] of waiting, or when what comes next is no longer kept, the client has fallen behind: at its next ACK it
//! gets a SNAPSHOT and goes on from there. Without any ACK for [`ACK_TIMEOUT`] the socket closes with 1013.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::domain::chord::Chord;
use crate::domain::size::Size;

/// The name of the subprotocol.
pub const PROTOCOL: &str = "tundra.v1";
/// Bytes of output on their way that the client has not acknowledged.
pub const WINDOW: u64 = 256 * 1024;
/// How long a full window may last before the client counts as behind.
pub const STALL: Duration = Duration::from_millis(250);
/// How long a client may acknowledge nothing while output waits for it.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(30);
/// Output in one frame.
pub const MAX_OUTPUT: usize = 16 * 1024;
/// The longest message in either direction.
pub const MAX_MESSAGE: usize = 1 << 20;

/// Kind and number of a frame, before its bytes.
pub(super) const FRAME_HEAD: usize = 9;

const OUTPUT: u8 = 0x01;
const SNAPSHOT: u8 = 0x02;
const INPUT: u8 = 0x10;
const PASTE: u8 = 0x11;
const ACK: u8 = 0x12;
const KEY: u8 = 0x13;

/// Close codes beyond RFC 6455's.
pub mod close {
    /// The terminal has ended, or the server does.
    pub const NORMAL: u16 = 1000;
    /// tundra ends.
    pub const GOING_AWAY: u16 = 1001;
    /// What the client sent breaks the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A text that is no UTF-8.
    pub const INVALID_TEXT: u16 = 1007;
    /// A message of more than [`super::MAX_MESSAGE`] bytes.
    pub const TOO_BIG: u16 = 1009;
    /// The client acknowledged nothing for [`super::ACK_TIMEOUT`].
    pub const TRY_AGAIN: u16 = 1013;
    /// From a client that lets a socket go and comes back with another one: its place is kept for it as after a cut.
    pub const RETURNING: u16 = 4010;
    /// No data either way for `remote.idle_timeout`.
    pub const IDLE: u16 = 4000;
    /// A newer socket of the same client has taken this one's place.
    pub const REPLACED: u16 = 4001;
    /// A ping was not answered in time.
    pub const NO_PONG: u16 = 4002;
}

/// The limits of a socket, and buffers that stay small while it is idle.
pub(super) fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * MAX_MESSAGE)
}

/// A binary frame to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToServer {
    /// Bytes as a terminal sends them.
    Input { id: u64, bytes: Bytes },
    /// Text that the server cleans and puts in brackets.
    Paste { id: u64, text: String },
    /// A key that the server encodes as the program asked for.
    Key { id: u64, key: Chord },
    /// Everything before this byte has been parsed.
    Ack { seq: u64 },
}

/// A binary frame to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToClient {
    /// What the program wrote, from byte `seq` on.
    Output { seq: u64, bytes: Bytes },
    /// The state at byte `seq`, for a terminal that was reset and has `size`.
    Snapshot { seq: u64, size: Size, bytes: Bytes },
}

/// A text frame to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    Attach {
        client: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_seq: Option<u64>,
        #[serde(default)]
        read_only: bool,
    },
    Resize {
        cols: u16,
        rows: u16,
    },
    Take,
    Ping,
}

/// A text frame to the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    Hello {
        protocol: String,
        epoch: String,
        terminal: String,
        owner: String,
        cols: u16,
        rows: u16,
        ring_start: u64,
        head: u64,
    },
    Attached {
        resumed: bool,
        next_seq: u64,
        input_id: u64,
        read_only: bool,
    },
    Role {
        role: Role,
        writer: Option<WriterName>,
    },
    InputAck {
        id: u64,
        typed: bool,
    },
    Exit {
        code: Option<i32>,
        signal: Option<i32>,
    },
    Pong,
    Error {
        code: String,
        message: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It types, and decides the size.
    Writer,
    /// It looks.
    Viewer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriterName {
    /// The client that is told.
    You,
    /// The front end.
    Front,
    /// Another client.
    Viewer,
}

/// Why a binary frame means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the frame is cut short")]
    Short,
    #[error("0x{0:02x} is no kind of frame")]
    Kind(u8),
    #[error("pasted text must be UTF-8")]
    Text,
    #[error("that is no name of a key")]
    Key,
}

impl Request {
    /// The text frame of this request.
    pub(super) fn to_message(&self) -> Message {
        text_frame(self)
    }
}

impl Notice {
    /// The text frame of this notice.
    pub(super) fn to_message(&self) -> Message {
        text_frame(self)
    }
}

fn text_frame(message: &impl Serialize) -> Message {
    // Text and numbers alone: writing them cannot fail.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

impl ToServer {
    /// The frame as it is sent.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Input { id, bytes } => numbered(INPUT, *id, bytes),
            Self::Paste { id, text } => numbered(PASTE, *id, text.as_bytes()),
            Self::Key { id, key } => numbered(KEY, *id, key.to_string().as_bytes()),
            Self::Ack { seq } => numbered(ACK, *seq, &[]),
        }
    }

    /// Reads a client's frame.
    ///
    /// # Errors
    /// [`FrameError`] where it is cut short, of no known kind, or its text is not UTF-8.
    pub fn decode(frame: &Bytes) -> Result<Self, FrameError> {
        let (kind, number, rest) = split(frame)?;
        match kind {
            INPUT => Ok(Self::Input {
                id: number,
                bytes: rest,
            }),
            PASTE => match std::str::from_utf8(&rest) {
                Ok(text) => Ok(Self::Paste {
                    id: number,
                    text: text.to_owned(),
                }),
                Err(_) => Err(FrameError::Text),
            },
            KEY => std::str::from_utf8(&rest)
                .ok()
                .and_then(|name| name.parse().ok())
                .map(|key| Self::Key { id: number, key })
                .ok_or(FrameError::Key),
            ACK => Ok(Self::Ack { seq: number }),
            kind => Err(FrameError::Kind(kind)),
        }
    }
}

impl ToClient {
    /// The frame as it is sent.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Output { seq, bytes } => numbered(OUTPUT, *seq, bytes),
            Self::Snapshot { seq, size, bytes } => {
                let mut frame = BytesMut::with_capacity(13 + bytes.len());
                frame.put_u8(SNAPSHOT);
                frame.put_u64(*seq);
                frame.put_u16(size.cols());
                frame.put_u16(size.rows());
                frame.put_slice(bytes);
                frame.freeze()
            }
        }
    }

    /// Reads a server's frame.
    ///
    /// # Errors
    /// [`FrameError`] where it is cut short, of no known kind, or its size is none.
    pub fn decode(frame: &Bytes) -> Result<Self, FrameError> {
        let (kind, seq, rest) = split(frame)?;
        match kind {
            OUTPUT => Ok(Self::Output { seq, bytes: rest }),
            SNAPSHOT => {
                let Some((&[cols_high, cols_low, rows_high, rows_low], _)) =
                    rest.split_first_chunk::<4>()
                else {
                    return Err(FrameError::Short);
                };
                let cols = u16::from_be_bytes([cols_high, cols_low]);
                let rows = u16::from_be_bytes([rows_high, rows_low]);
                Ok(Self::Snapshot {
                    seq,
                    size: Size::clamped(cols, rows),
                    bytes: rest.slice(4..),
                })
            }
            kind => Err(FrameError::Kind(kind)),
        }
    }
}

/// The head of an OUTPUT frame, for output that is then appended in place.
pub(super) fn output_head(seq: u64, frame: &mut Vec<u8>) {
    frame.push(OUTPUT);
    frame.extend_from_slice(&seq.to_be_bytes());
}

fn numbered(kind: u8, number: u64, rest: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(9 + rest.len());
    frame.put_u8(kind);
    frame.put_u64(number);
    frame.put_slice(rest);
    frame.freeze()
}

fn split(frame: &Bytes) -> Result<(u8, u64, Bytes), FrameError> {
    let (&[kind], rest) = frame.split_first_chunk::<1>().ok_or(FrameError::Short)?;
    let (number, _) = rest.split_first_chunk::<8>().ok_or(FrameError::Short)?;
    Ok((kind, u64::from_be_bytes(*number), frame.slice(9..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_as_they_were_written() {
        for frame in [
            ToServer::Input {
                id: 7,
                bytes: Bytes::from_static(b"\x1b[A"),
            },
            ToServer::Paste {
                id: u64::MAX,
                text: "grüße\n".to_owned(),
            },
            ToServer::Key {
                id: 3,
                key: "ctrl-shift-enter".parse().unwrap(),
            },
            ToServer::Ack { seq: 1 << 40 },
        ] {
            assert_eq!(ToServer::decode(&frame.encode()), Ok(frame));
        }
        for frame in [
            ToClient::Output {
                seq: 9,
                bytes: Bytes::from_static(b"out"),
            },
            ToClient::Snapshot {
                seq: 12,
                size: Size::clamped(132, 43),
                bytes: Bytes::from_static(b"\x1bcscreen"),
            },
        ] {
            assert_eq!(ToClient::decode(&frame.encode()), Ok(frame));
        }
    }

    #[test]
    fn broken_frames_are_told_apart() {
        let decode = |bytes: &'static [u8]| ToServer::decode(&Bytes::from_static(bytes));
        assert_eq!(decode(b""), Err(FrameError::Short));
        assert_eq!(decode(b"\x10\0\0"), Err(FrameError::Short));
        assert_eq!(
            decode(b"\x7f\0\0\0\0\0\0\0\x01"),
            Err(FrameError::Kind(0x7f))
        );
        assert_eq!(
            decode(b"\x13\0\0\0\0\0\0\0\x01shift-nothing"),
            Err(FrameError::Key)
        );
        assert_eq!(decode(b"\x11\0\0\0\0\0\0\0\x01\xff"), Err(FrameError::Text));
    }

    #[test]
    fn requests_are_json_with_a_type() {
        let attach: Request =
            serde_json::from_str(r#"{"type":"attach","client":"0123456789abcdef","next_seq":5}"#)
                .unwrap();
        assert_eq!(
            attach,
            Request::Attach {
                client: "0123456789abcdef".to_owned(),
                attempt: None,
                epoch: None,
                next_seq: Some(5),
                read_only: false
            }
        );
        let role = Notice::Role {
            role: Role::Viewer,
            writer: Some(WriterName::Front),
        };
        assert_eq!(
            serde_json::to_string(&role).unwrap(),
            r#"{"type":"role","role":"viewer","writer":"front"}"#
        );
    }
}
