//! One question to the gateway, read as it comes: HTTP/1.1 without a library, since a client of tundra's is anybody's.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Longer than the gateway needs to ask everybody.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of one line of an answer, in bytes.
const MOST_LINE: u64 = 1 << 20;

/// Where to ask, and what with: the environment of a terminal.
#[derive(Clone, Debug)]
pub(super) struct Gateway {
    /// `HOST:PORT`.
    authority: String,
    /// Before the route.
    prefix: String,
    key: String,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The head of an answer: its status, who answered, and how many were asked.
    Head {
        status: u16,
        profile: Option<String>,
        attempts: u32,
    },
    Text(String),
    /// An error, in the gateway's words.
    Failed(String),
}

impl Gateway {
    /// As the variables name it; `None` where they do not.
    pub fn of_environment() -> Option<Self> {
        let url = std::env::var("ANTHROPIC_BASE_URL").ok()?;
        let key = std::env::var("ANTHROPIC_AUTH_TOKEN").ok()?;
        let rest = url.strip_prefix("http://")?;
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let slash = if prefix.is_empty() { "" } else { "/" };
        Some(Self {
            authority: authority.to_owned(),
            prefix: format!("{slash}{}", prefix.trim_end_matches('/')),
            key,
        })
    }

    /// Asks once and tells each piece of the answer as it comes.
    ///
    /// # Errors
    /// Where the gateway cannot be asked or the connection breaks.
    pub fn ask(&self, mut tell: impl FnMut(Piece)) -> io::Result<()> {
        let body = serde_json::json!({
            "model": "simulated", "max_tokens": 64, "stream": true,
            "messages": [{ "role": "user", "content": "Say something, please." }],
        })
        .to_string();
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "POST {}/v1/messages HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nanthropic-version: 2023-06-01\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.prefix,
            self.authority,
            self.key,
            body.len()
        )?;
        let mut reader = BufReader::new(stream);
        let head = Head::read(&mut reader)?;
        tell(Piece::Head {
            status: head.status,
            profile: head.profile.clone(),
            attempts: head.attempts,
        });
        let body: Box<dyn Read> = if head.is_chunked {
            Box::new(Chunked {
                reader,
                left: 0,
                is_over: false,
            })
        } else {
            Box::new(reader)
        };
        read_answer(BufReader::new(body), head.is_stream, tell)
    }
}

/// Does something to a simulated provider: a request without a body, of whose answer nothing is wanted.
///
/// # Errors
/// Where nobody answers any more.
pub(super) fn post(authority: &str, path: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    Head::read(&mut BufReader::new(stream)).map(|_| ())
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    profile: Option<String>,
    attempts: u32,
    is_chunked: bool,
    is_stream: bool,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let mut head = Self::default();
        let mut line = String::new();
        for number in 0.. {
            line.clear();
            if reader.take(MOST_LINE).read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end();
            if number == 0 {
                let status = text
                    .split(' ')
                    .nth(1)
                    .and_then(|status| status.parse().ok());
                head.status = status.unwrap_or_default();
                continue;
            }
            if text.is_empty() {
                break;
            }
            let Some((name, value)) = text.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "x-tundra-profile" => head.profile = Some(value.to_owned()),
                "x-tundra-attempts" => head.attempts = value.parse().unwrap_or_default(),
                "transfer-encoding" => head.is_chunked = value.eq_ignore_ascii_case("chunked"),
                "content-type" => head.is_stream = value.starts_with("text/event-stream"),
                _ => {}
            }
        }
        Ok(head)
    }
}

/// Tells what an answer holds: a stream's text as it comes, or the words of an error.
fn read_answer(
    mut reader: BufReader<Box<dyn Read>>,
    is_stream: bool,
    mut tell: impl FnMut(Piece),
) -> io::Result<()> {
    if !is_stream {
        let mut text = String::new();
        reader.take(MOST_LINE).read_to_string(&mut text)?;
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        tell(Piece::Failed(words(&told)));
        return Ok(());
    }
    let mut line = String::new();
    loop {
        line.clear();
        if reader.by_ref().take(MOST_LINE).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        let event: Value = serde_json::from_str(data).unwrap_or_default();
        match event.get("type").and_then(Value::as_str) {
            Some("content_block_delta") => {
                let text = event.pointer("/delta/text").and_then(Value::as_str);
                tell(Piece::Text(text.unwrap_or_default().to_owned()));
            }
            Some("error") => tell(Piece::Failed(words(&event))),
            _ => {}
        }
    }
}

fn words(told: &Value) -> String {
    let message = told.pointer("/error/message").and_then(Value::as_str);
    message.unwrap_or("no words").to_owned()
}

/// A body in chunks (RFC 9112, section 7.1).
struct Chunked<R> {
    reader: R,
    left: u64,
    is_over: bool,
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        if self.left == 0 {
            let mut line = String::new();
            while line.trim().is_empty() {
                line.clear();
                if self.reader.by_ref().take(MOST_LINE).read_line(&mut line)? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let size = line.trim().split(';').next().unwrap_or_default();
            self.left = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            if self.left == 0 {
                self.is_over = true;
                return Ok(0);
            }
        }
        let count = self.reader.by_ref().take(self.left).read(bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= u64::try_from(count).unwrap_or_default();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_answer_in_chunks_is_read_as_text() {
        let body = "19\r\ndata: {\"type\":\"error\",\"er\r\n1f\r\nror\":{\"message\":\"simulated\"}}\n\n\r\n0\r\n\r\n";
        let chunked: Box<dyn Read> = Box::new(Chunked {
            reader: body.as_bytes(),
            left: 0,
            is_over: false,
        });
        let mut pieces = Vec::new();
        read_answer(BufReader::new(chunked), true, |piece| pieces.push(piece)).unwrap();
        assert_eq!(pieces, [Piece::Failed("simulated".to_owned())]);
    }

    #[test]
    fn a_head_tells_who_answered() {
        let text =
            "HTTP/1.1 200 OK\r\nX-Tundra-Profile: simulated-b\r\nx-tundra-attempts: 2\r\n\r\n";
        let head = Head::read(&mut text.as_bytes()).unwrap();
        assert_eq!((head.status, head.attempts), (200, 2));
        assert_eq!(head.profile.as_deref(), Some("simulated-b"));
    }
}
