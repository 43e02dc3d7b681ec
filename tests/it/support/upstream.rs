//! A provider that does exactly what a script says, byte for byte, on a raw socket.

use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

/// One thing to do with a connection after a request was read.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Sends nothing more and waits until the peer goes away; when it did is noted.
    Stall,
    /// Sends a byte after another, with a pause between, until the peer goes away.
    Drip(u8, Duration),
    /// Sends the same again and again until the peer goes away; how many bytes it took is noted.
    Flood(Vec<u8>),
    /// Ends the connection in good order.
    Close,
    /// Ends the connection with a reset.
    Reset,
}

/// What is done for one request; the connection is kept unless a step ends it.
pub type Script = Vec<Step>;

/// What is done for a request that no script was queued for.
type Usual = Arc<dyn Fn(&Seen) -> Script + Send + Sync>;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Numbers the connections of this upstream, from 0.
    pub connection: usize,
    pub head: String,
    pub body: Vec<u8>,
    /// When the peer went away while a script still had to send something.
    pub gone: Option<Instant>,
    /// Bytes of a flood that were sent until then, those on their way included.
    pub flooded: usize,
}

impl Seen {
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

struct State {
    next: VecDeque<Script>,
    usual: Usual,
    seen: Vec<Seen>,
    connections: usize,
    /// Those that are open, by their numbers.
    open: HashMap<usize, TcpStream>,
}

/// Listens on a port of its own until it is dropped. Scripts that were queued are used once each, then the usual one.
#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// An upstream that does `usual` for every request.
    pub fn start(usual: Script) -> Self {
        Self::answering(move |_| usual.clone())
    }

    /// An upstream that decides by the request.
    pub fn answering(usual: impl Fn(&Seen) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            next: VecDeque::new(),
            usual: Arc::new(usual),
            seen: Vec::new(),
            connections: 0,
            open: HashMap::new(),
        }));
        let shared = Arc::downgrade(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(state) = shared.upgrade() else {
                    return;
                };
                std::thread::spawn(move || converse(stream, &state));
            }
        });
        Self { address, state }
    }

    /// An address that refuses connections.
    pub fn refused() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does `script` for the next request that no other queued script is for.
    pub fn then(&self, script: Script) -> &Self {
        self.state.lock().unwrap().next.push_back(script);
        self
    }

    pub fn usually(&self, script: Script) {
        self.state.lock().unwrap().usual = Arc::new(move |_| script.clone());
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    /// Connections that were opened so far.
    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// Ends every connection that is open, in good order.
    pub fn hang_up(&self) {
        for stream in self.state.lock().unwrap().open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().seen.len()
    }
}

fn converse(stream: TcpStream, state: &Mutex<State>) {
    stream.set_nodelay(true).unwrap();
    let connection = {
        let mut state = state.lock().unwrap();
        let connection = state.connections;
        state.connections += 1;
        state.open.insert(connection, stream.try_clone().unwrap());
        connection
    };
    answer_all(stream, connection, state);
    state.lock().unwrap().open.remove(&connection);
}

fn answer_all(mut stream: TcpStream, connection: usize, state: &Mutex<State>) {
    let mut left = Vec::new();
    while let Some((head, body)) = read_request(&mut stream, &mut left) {
        let (script, index) = {
            let mut state = state.lock().unwrap();
            let seen = Seen {
                connection,
                head,
                body,
                gone: None,
                flooded: 0,
            };
            let script = state
                .next
                .pop_front()
                .unwrap_or_else(|| (state.usual)(&seen));
            state.seen.push(seen);
            (script, state.seen.len() - 1)
        };
        if !perform(&mut stream, script, |flooded| {
            let seen = &mut state.lock().unwrap().seen[index];
            seen.gone = Some(Instant::now());
            seen.flooded = flooded;
        }) {
            return;
        }
    }
}

/// Answers whether the connection lives on.
fn perform(stream: &mut TcpStream, script: Script, gone: impl Fn(usize)) -> bool {
    for step in script {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    gone(0);
                    return false;
                }
            }
            Step::Wait(span) => {
                if is_gone_within(stream, span) {
                    gone(0);
                    return false;
                }
            }
            Step::Stall => {
                is_gone_within(stream, Duration::from_secs(60));
                gone(0);
                return false;
            }
            Step::Drip(byte, pause) => {
                while stream.write_all(&[byte]).is_ok() && !is_gone_within(stream, pause) {}
                gone(0);
                return false;
            }
            Step::Flood(bytes) => {
                let mut flooded = 0;
                while stream.write_all(&bytes).is_ok() {
                    flooded += bytes.len();
                }
                gone(flooded);
                return false;
            }
            Step::Close => {
                let _ = stream.shutdown(Shutdown::Both);
                return false;
            }
            Step::Reset => {
                set_socket_linger(&*stream, Some(Duration::ZERO)).unwrap();
                return false;
            }
        }
    }
    true
}

fn is_gone_within(stream: &mut TcpStream, span: Duration) -> bool {
    stream
        .set_read_timeout(Some(span.max(Duration::from_millis(1))))
        .unwrap();
    let mut byte = [0; 1];
    let gone = match stream.peek(&mut byte) {
        Ok(count) => count == 0,
        Err(error) => !matches!(
            error.kind(),
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ),
    };
    stream.set_read_timeout(None).unwrap();
    gone
}

fn read_request(stream: &mut TcpStream, left: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let mut buffer = vec![0; 65536];
    let end = loop {
        if let Some(at) = left.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        left.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8_lossy(&left[..end]).into_owned();
    let length = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    while left.len() < end + length {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        left.extend_from_slice(&buffer[..count]);
    }
    let body = left[end..end + length].to_vec();
    left.drain(..end + length);
    Some((head, body))
}

/// An answer with a length, on a connection that is kept.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Script {
    let body = body.as_ref();
    let mut bytes = head(status, headers);
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

pub fn json(status: u16, body: impl AsRef<[u8]>) -> Script {
    answer(status, &[("content-type", "application/json")], body)
}

/// The head of a stream, to be followed by [`chunk`]s.
pub fn stream_head(headers: &[(&str, &str)]) -> Step {
    let mut bytes = head(
        200,
        &[("content-type", "text/event-stream"), ("x-vendor", "yes")],
    );
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    Step::Send(bytes)
}

/// A part of a stream.
pub fn chunk(bytes: impl AsRef<[u8]>) -> Step {
    let bytes = bytes.as_ref();
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    Step::Send(framed)
}

/// The end of a stream.
pub fn last_chunk() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// A whole stream, a chunk for each part.
pub fn stream(parts: &[impl AsRef<[u8]>]) -> Script {
    let mut script = vec![stream_head(&[])];
    script.extend(parts.iter().map(chunk));
    script.push(last_chunk());
    script
}

fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} Said\r\n").into_bytes();
    for (name, value) in headers {
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    head
}
