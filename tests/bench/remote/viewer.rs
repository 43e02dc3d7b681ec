//! One client of any arm.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, client_with_config};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};
use tundra::remote::protocol::{ToClient, ToServer};

use crate::arm::Arm;

/// How long anything may take before the bench gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Where a terminal is to be had.
#[derive(Clone, Debug)]
pub struct Place {
    pub arm: Arm,
    pub address: SocketAddr,
    pub path: String,
    /// The bearer; empty for who wants none.
    pub token: String,
}

pub struct Viewer {
    arm: Arm,
    socket: WebSocket<TcpStream>,
    input_id: u64,
}

/// What a message brought.
#[derive(Debug)]
pub enum Seen {
    Output(Bytes),
    /// The whole screen.
    Screen(Bytes),
    Nothing,
    Closed,
}

impl Place {
    pub fn request(&self) -> Request {
        let mut request = format!("ws://{}{}", self.address, self.path)
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        if !self.token.is_empty() {
            let bearer = format!("Bearer {}", self.token);
            headers.insert("Authorization", bearer.parse().unwrap());
        }
        if let Some(protocol) = self.arm.protocol() {
            headers.insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
        }
        request
    }

    pub fn config() -> WebSocketConfig {
        WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None)
    }

    /// What a client says first.
    pub fn greeting(&self, number: usize) -> Option<Message> {
        match self.arm {
            Arm::Ttyd => Some(Message::binary(
                &br#"{"AuthToken":"","columns":200,"rows":50}"#[..],
            )),
            Arm::V1 => Some(Message::text(format!(
                r#"{{"type":"attach","client":"bench-0123456789-{number}"}}"#
            ))),
            Arm::Bare | Arm::Plain => None,
        }
    }

    pub fn attach(&self) -> Viewer {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (mut socket, _) =
            client_with_config(self.request(), stream, Some(Self::config())).unwrap();
        if let Some(greeting) = self.greeting(0) {
            socket.send(greeting).unwrap();
        }
        Viewer {
            arm: self.arm,
            socket,
            input_id: 0,
        }
    }
}

/// What a message is to a client of `arm`, and the acknowledgement that it asks for.
pub fn judge(arm: Arm, message: Message) -> (Seen, Option<Message>) {
    let Message::Binary(bytes) = message else {
        let closed = message.is_close();
        return (if closed { Seen::Closed } else { Seen::Nothing }, None);
    };
    match arm {
        Arm::Plain if bytes.starts_with(b"\x1bc") => (Seen::Screen(bytes), None),
        Arm::Bare | Arm::Plain => (Seen::Output(bytes), None),
        Arm::Ttyd if bytes.first() == Some(&b'0') => (Seen::Output(bytes.slice(1..)), None),
        Arm::Ttyd => (Seen::Nothing, None),
        Arm::V1 => match ToClient::decode(&bytes).unwrap() {
            ToClient::Output { seq, bytes } => {
                let seq = seq + bytes.len() as u64;
                let ack = Message::Binary(ToServer::Ack { seq }.encode());
                (Seen::Output(bytes), Some(ack))
            }
            ToClient::Snapshot { seq, bytes, .. } => {
                let ack = Message::Binary(ToServer::Ack { seq }.encode());
                (Seen::Screen(bytes), Some(ack))
            }
        },
    }
}

impl Viewer {
    pub fn type_(&mut self, bytes: &[u8]) {
        let message = match self.arm {
            Arm::Bare | Arm::Plain => Message::binary(bytes.to_vec()),
            Arm::Ttyd => Message::binary([b"0", bytes].concat()),
            Arm::V1 => {
                self.input_id += 1;
                let bytes = Bytes::copy_from_slice(bytes);
                let id = self.input_id;
                Message::Binary(ToServer::Input { id, bytes }.encode())
            }
        };
        self.socket.send(message).unwrap();
    }

    /// Reads one message, and acknowledges it.
    pub fn read(&mut self) -> Seen {
        let message = match self.socket.read() {
            Ok(message) => message,
            Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_)) => {
                return Seen::Closed;
            }
            // A server that gave up on this client takes no pong.
            Err(Error::Io(error))
                if matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ) =>
            {
                return Seen::Closed;
            }
            Err(error) => panic!("{}: {error}", self.arm.name()),
        };
        let (seen, ack) = judge(self.arm, message);
        if let Some(ack) = ack {
            // A server that has closed meanwhile wants none.
            let _ = self.socket.send(ack);
        }
        seen
    }

    /// Reads until `mark` has come; tells how many bytes came.
    pub fn read_until(&mut self, mark: &str) -> usize {
        let mut finder = Finder::new(mark);
        let mut count = 0;
        loop {
            match self.read() {
                Seen::Output(bytes) | Seen::Screen(bytes) => {
                    count += bytes.len();
                    if finder.finds(&bytes) {
                        return count;
                    }
                }
                Seen::Nothing => {}
                Seen::Closed => panic!("{}: closed before {mark:?}", self.arm.name()),
            }
        }
    }
}

/// Looks for a text in a stream, whatever pieces it comes in.
pub struct Finder {
    mark: Vec<u8>,
    tail: Vec<u8>,
}

impl Finder {
    pub fn new(mark: &str) -> Self {
        Self {
            mark: mark.as_bytes().to_vec(),
            tail: Vec::new(),
        }
    }

    pub fn finds(&mut self, bytes: &[u8]) -> bool {
        let keep = self.mark.len() - 1;
        let seam = self.tail.len();
        self.tail.extend_from_slice(&bytes[..bytes.len().min(keep)]);
        let found = memchr::memmem::find(&self.tail, &self.mark).is_some()
            || memchr::memmem::find(bytes, &self.mark).is_some();
        if bytes.len() > keep {
            self.tail.truncate(seam);
            self.tail.extend_from_slice(&bytes[bytes.len() - keep..]);
        }
        let excess = self.tail.len().saturating_sub(keep);
        self.tail.drain(..excess);
        found
    }
}
