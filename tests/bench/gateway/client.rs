//! A client that costs little: one kept-alive connection, raw bytes, no parsing beyond where an answer ends.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Client {
    address: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// How long an answer took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    pub total: Duration,
    pub bytes: usize,
}

impl Client {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            address: address.to_owned(),
            stream,
            buffer: Vec::with_capacity(64 * 1024),
        }
    }

    /// Sends a request and reads its answer; a connection that was closed meanwhile is opened anew.
    pub async fn ask(&mut self, request: &[u8]) -> Took {
        for _ in 0..2 {
            if let Some(took) = self.try_ask(request).await {
                return took;
            }
            *self = Self::connect(&self.address).await;
        }
        panic!("{} closes every connection", self.address);
    }

    async fn try_ask(&mut self, request: &[u8]) -> Option<Took> {
        let began = Instant::now();
        self.stream.write_all(request).await.ok()?;
        self.buffer.clear();
        let mut end = None;
        loop {
            let count = self.stream.read_buf(&mut self.buffer).await.ok()?;
            if count == 0 {
                return None;
            }
            if end.is_none() {
                end = End::find(&self.buffer);
            }
            if end.as_ref().is_some_and(|end| end.reached(&self.buffer)) {
                let status = self.buffer.get(9..12).unwrap();
                assert_eq!(
                    status,
                    b"200",
                    "{}: {}",
                    self.address,
                    String::from_utf8_lossy(&self.buffer)
                );
                return Some(Took {
                    total: began.elapsed(),
                    bytes: self.buffer.len(),
                });
            }
        }
    }
}

enum End {
    Length(usize),
    Chunked,
}

impl End {
    fn find(bytes: &[u8]) -> Option<Self> {
        let head = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map(|length| length.trim().parse::<usize>().unwrap());
        Some(length.map_or(Self::Chunked, |length| Self::Length(head + length)))
    }

    fn reached(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Length(length) => bytes.len() >= *length,
            Self::Chunked => bytes.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}

/// A Messages request with about `size` bytes of conversation.
pub fn request(address: &str, key: &str, stream: bool, size: usize, pace_ms: u64) -> Vec<u8> {
    let words = "All work and no play makes a dull gateway. ".repeat(size / 43 + 1);
    let body = format!(
        r#"{{"model":"some-model","max_tokens":100,"stream":{stream},"metadata":{{"user_id":"pace-{pace_ms}"}},"messages":[{{"role":"user","content":"{words}"}}]}}"#
    );
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\nanthropic-version: 2023-06-01\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}
