//! Clients of the listener: HTTP requests by hand, plain sockets, viewers of `tundra.v1`, and a proxy that cuts.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket, client};
use tundra::remote::protocol::{ToClient, ToServer};

use super::condition::PATIENCE;
use super::{Home, Serve, eventually};

/// What an HTTP request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().unwrap().to_owned();
        (self.status, code)
    }
}

/// The listener of one instance.
#[derive(Clone, Debug)]
pub struct Remote {
    pub address: SocketAddr,
    pub token: String,
}

impl Remote {
    pub fn of(serve: &Serve) -> Self {
        let url = serve.ready()["remote_url"].as_str().unwrap();
        let address = url.split_once("://").unwrap().1.parse().unwrap();
        let file = serve.home.path().join("state/remote.token");
        let token = std::fs::read_to_string(file).unwrap().trim().to_owned();
        Self { address, token }
    }

    /// The listener of an instance that runs with this home, a front end as well.
    pub fn beside(home: &Home) -> Self {
        let status = home.cli(&["status", "--json"]).json();
        let url = status["remote"]["url"].as_str().unwrap();
        let address = url.split_once("://").unwrap().1.parse().unwrap();
        let file = status["remote"]["token_file"].as_str().unwrap();
        let token = std::fs::read_to_string(file).unwrap().trim().to_owned();
        Self { address, token }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn bearer(&self) -> (&'static str, String) {
        ("Authorization", format!("Bearer {}", self.token))
    }

    /// A request with exactly these headers and a right Host, unless one is among them.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, String)], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            let _ = write!(head, "Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        parse(&String::from_utf8_lossy(&answer))
    }

    /// A request with exactly these headers and a right Host; what comes after the answer's head is not waited for.
    pub fn head(&self, method: &str, path: &str, headers: &[(&str, String)]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
            answer.push(byte[0]);
        }
        parse(&String::from_utf8_lossy(&answer))
    }

    /// A request with the token as bearer.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.raw(method, path, &[self.bearer()], &body)
    }

    /// Makes a terminal and gives its id.
    pub fn open(&self, options: &Value) -> String {
        let answer = self.ask("POST", "/api/terminals", options);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    pub fn terminal(&self, id: &str) -> Value {
        self.ask("GET", &format!("/api/terminals/{id}"), &Value::Null)
            .json()
    }

    pub fn wait_status(&self, id: &str, status: &str) {
        eventually(&format!("{id} is {status}"), || {
            self.terminal(id)["status"] == status
        });
    }

    /// The session cookie for a token.
    pub fn login(&self, token: &str) -> Answer {
        let body = json!({ "token": token }).to_string();
        self.raw("POST", "/api/login", &[], &body)
    }

    pub fn plain(&self, id: &str) -> Socket {
        self.socket(&format!("/ws/terminal/{id}"), &[self.bearer()])
            .unwrap()
    }

    pub fn v1(&self, id: &str) -> Socket {
        let protocol = ("Sec-WebSocket-Protocol", "tundra.v1".to_owned());
        self.socket(&format!("/ws/terminal/{id}"), &[self.bearer(), protocol])
            .unwrap()
    }

    /// A viewer of an instance that listens on every address, so over TLS. Its certificate is the one in its own folder.
    pub fn v1_over_tls(serve: &Serve, id: &str) -> Socket<TlsStream> {
        let state = serve.home.path().join("state");
        let token = std::fs::read_to_string(state.join("remote.token")).unwrap();
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_file(state.join("remote-cert.pem")).unwrap();
        roots.add(certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let url = serve.ready()["remote_url"].as_str().unwrap();
        let authority = url.strip_prefix("https://").unwrap();
        let (host, port) = authority.rsplit_once(':').unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = host.to_owned().try_into().unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut request = format!("wss://{authority}/ws/terminal/{id}")
            .into_client_request()
            .unwrap();
        let bearer = format!("Bearer {}", token.trim());
        for (name, value) in [
            ("authorization", bearer.as_str()),
            ("sec-websocket-protocol", "tundra.v1"),
        ] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (socket, _) = client::client(request, StreamOwned::new(connection, tcp)).unwrap();
        Socket { socket }
    }

    /// Opens a socket with exactly these headers besides those of the handshake.
    pub fn socket(&self, path: &str, headers: &[(&str, String)]) -> Result<Socket, Answer> {
        self.socket_through(self.address, path, headers)
            .map_err(|refused| refused.expect("a refusal, not a cut"))
    }

    /// Opens a socket over a proxy; `Err(None)` where the connection broke.
    pub fn socket_through(
        &self,
        through: SocketAddr,
        path: &str,
        headers: &[(&str, String)],
    ) -> Result<Socket, Option<Answer>> {
        let host = headers
            .iter()
            .find(|(name, _)| *name == "Host")
            .map_or(self.address.to_string(), |(_, host)| host.clone());
        let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
        for (name, value) in headers.iter().filter(|(name, _)| *name != "Host") {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(through).map_err(|_| None)?;
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        match client::client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(Socket { socket }),
            Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(answer))) => {
                Err(Some(Answer {
                    status: answer.status().as_u16(),
                    headers: answer
                        .headers()
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                        .collect(),
                    body: String::from_utf8(answer.body().clone().unwrap_or_default()).unwrap(),
                }))
            }
            Err(_) => Err(None),
        }
    }
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    Answer {
        status: status.and_then(|status| status.parse().ok()).unwrap_or(0),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}

/// An encrypted connection.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// One WebSocket.
pub struct Socket<S = TcpStream> {
    pub socket: WebSocket<S>,
}

impl Socket {
    pub fn patience(&self, patience: Duration) {
        self.socket
            .get_ref()
            .set_read_timeout(Some(patience))
            .unwrap();
    }
}

impl<S: Read + Write> Socket<S> {
    pub fn send(&mut self, message: Message) {
        self.socket.send(message).unwrap();
    }

    pub fn text(&mut self, text: &str) {
        self.send(Message::text(text));
    }

    pub fn say(&mut self, value: &Value) {
        self.text(&value.to_string());
    }

    /// The next data message.
    pub fn next(&mut self) -> Message {
        loop {
            match self.socket.read().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    /// The next JSON message of a type; others are passed over.
    pub fn notice(&mut self, kind: &str) -> Value {
        loop {
            if let Message::Text(text) = self.next()
                && let Ok(value) = serde_json::from_str::<Value>(&text)
                && value["type"] == kind
            {
                return value;
            }
        }
    }

    /// Reads binary messages until what they hold together satisfies.
    pub fn bytes_until(&mut self, mut enough: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
        let mut all = Vec::new();
        while !enough(&all) {
            if let Message::Binary(bytes) = self.next() {
                all.extend_from_slice(&bytes);
            }
        }
        all
    }

    pub fn bytes_with(&mut self, text: &str) -> Vec<u8> {
        let wanted = text.as_bytes();
        self.bytes_until(|all| all.windows(wanted.len()).any(|window| window == wanted))
    }

    /// The code that the server closes with.
    pub fn close_code(&mut self) -> u16 {
        loop {
            match self.socket.read() {
                Ok(Message::Close(frame)) => return frame.map_or(1005, |frame| frame.code.into()),
                Ok(_) => {}
                Err(error) => panic!("closed without a frame: {error}"),
            }
        }
    }

    /// Begins `tundra.v1`; gives `hello` and `attached`.
    pub fn attach(&mut self, client: &str, resume: Option<(&str, u64)>) -> (Value, Value) {
        let hello = self.notice("hello");
        let mut attach = json!({ "type": "attach", "client": client });
        if let Some((epoch, next)) = resume {
            attach["epoch"] = epoch.into();
            attach["next_seq"] = next.into();
        }
        self.say(&attach);
        (hello, self.notice("attached"))
    }

    /// The next frame of output or screen.
    pub fn frame(&mut self) -> ToClient {
        loop {
            if let Message::Binary(bytes) = self.next() {
                return ToClient::decode(&bytes).unwrap();
            }
        }
    }

    pub fn input(&mut self, id: u64, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.send(Message::Binary(ToServer::Input { id, bytes }.encode()));
    }

    pub fn ack(&mut self, seq: u64) {
        self.send(Message::Binary(ToServer::Ack { seq }.encode()));
    }
}

/// A random number that a test's failure can be told with.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// From 0 up to `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        // xorshift64: even enough for where to cut.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// From 1 to `most`.
    pub fn size(&mut self, most: u32) -> usize {
        1 + usize::try_from(self.roll(u64::from(most))).expect("it fits")
    }

    pub fn letter(&mut self) -> u8 {
        b"abcdefghijklmnopqrstuvwxyz"[self.size(26) - 1]
    }
}

/// Passes bytes on and cuts each connection after some number of them, in either direction.
pub struct Proxy {
    pub address: SocketAddr,
    pub cuts: Arc<AtomicUsize>,
    /// Cuts no more.
    pub calm: Arc<AtomicBool>,
}

impl Proxy {
    /// Cuts after up to `most` bytes.
    pub fn before(upstream: SocketAddr, most: u64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let calm = Arc::new(AtomicBool::new(false));
        let (counted, calmed) = (Arc::clone(&cuts), Arc::clone(&calm));
        thread::spawn(move || {
            let mut dice = Dice::new(seed);
            let mut number = 0;
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(upstream) else {
                    continue;
                };
                let budget = if calmed.load(Ordering::Relaxed) {
                    u64::MAX
                } else {
                    // The first ones come in whole: before that there is nothing to survive.
                    number += 1;
                    let head = if number <= 3 { 5000 } else { 300 };
                    head + dice.roll(most)
                };
                let left = Arc::new(Mutex::new(budget));
                for (from, to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server, client),
                ] {
                    let (left, counted) = (Arc::clone(&left), Arc::clone(&counted));
                    thread::spawn(move || pass(from, to, &left, &counted));
                }
            }
        });
        Self {
            address,
            cuts,
            calm,
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &Mutex<u64>, cuts: &AtomicUsize) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let allowed = {
            let mut left = left.lock().unwrap();
            let allowed = (*left).min(count as u64);
            *left -= allowed;
            usize::try_from(allowed).unwrap_or(usize::MAX)
        };
        let _ = to.write_all(&buffer[..allowed]);
        if allowed < count {
            cuts.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// How long something takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed(), value)
}
