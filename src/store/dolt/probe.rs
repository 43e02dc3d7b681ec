//! Who answers on a port, found out before the driver says a word: it has no limits of its own, and tells a web server
//! from a database by a broken packet.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::error::DoltError;

/// The longest greeting that is read.
const GREETING: usize = 512;
/// Servers of databases speak first. Whoever is still silent after this is asked what a web server would answer.
const SILENCE: Duration = Duration::from_secs(1);
const QUESTION: &[u8] = b"HEAD / HTTP/1.0\r\n\r\n";
/// The version of the protocol in a greeting.
const PROTOCOL: u8 = 10;
/// The first byte of an error that a server greets with.
const ERROR: u8 = 0xff;

/// What a database's server says of itself before anybody logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Such as `8.0.33`, which Dolt says too, or `5.5.5-10.11.6-MariaDB-…`.
    pub version: String,
}

impl Greeting {
    /// What it is where the version alone tells it: `MariaDB` names itself.
    pub fn product(&self) -> Option<String> {
        let version = self.version.strip_prefix("5.5.5-").unwrap_or(&self.version);
        let (number, _) = version.split_once("-MariaDB")?;
        Some(format!("MariaDB {number}"))
    }
}

/// Listens to a server's greeting, all within `limit`. Dropped, it closes its connection.
pub(super) async fn probe(host: &str, port: u16, limit: Duration) -> Result<Greeting, DoltError> {
    let address = format!("{host}:{port}");
    let deadline = Instant::now() + limit;
    let no_answer = || DoltError::NoAnswer {
        address: address.clone(),
        seconds: limit.as_secs(),
    };
    let mut stream = match timeout_at(deadline, TcpStream::connect((host, port))).await {
        Err(_) => return Err(no_answer()),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            return Err(DoltError::Refused(address));
        }
        Ok(Err(error)) => {
            let why = error.to_string();
            return Err(DoltError::Unreachable { address, why });
        }
        Ok(Ok(stream)) => stream,
    };
    let mut bytes = Vec::with_capacity(GREETING);
    let speaks_by = deadline.min(Instant::now() + SILENCE);
    if timeout_at(speaks_by, read_greeting(&mut stream, &mut bytes))
        .await
        .is_err()
        && bytes.is_empty()
    {
        let asked = timeout_at(deadline, async {
            stream.write_all(QUESTION).await?;
            stream.read_buf(&mut bytes).await
        });
        return Err(match asked.await {
            Err(_) => no_answer(),
            Ok(Ok(read)) if read > 0 => DoltError::NotMysql(port),
            // It hung up on what it did not understand.
            Ok(_) => DoltError::NotMysql(port),
        });
    }
    match parse(&bytes) {
        Said::Greeting(greeting) => Ok(greeting),
        Said::Error(why) => Err(DoltError::Unreachable { address, why }),
        Said::Else => Err(DoltError::NotMysql(port)),
    }
}

/// Reads until the first packet is whole, or what came cannot become one.
async fn read_greeting(stream: &mut TcpStream, bytes: &mut Vec<u8>) {
    while bytes.len() < GREETING {
        match stream.read_buf(bytes).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
        let length = match bytes.as_slice() {
            [a, b, c, _, ..] => usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16,
            _ => continue,
        };
        if bytes.len() >= length + 4 {
            return;
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Greeting(Greeting),
    /// It turns everybody away at the moment.
    Error(String),
    Else,
}

fn parse(bytes: &[u8]) -> Said {
    match bytes {
        [_, _, 0, 0, PROTOCOL, rest @ ..] => {
            let version = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            let version = String::from_utf8_lossy(version).into_owned();
            if version.is_empty() || !version.starts_with(|first: char| first.is_ascii_digit()) {
                return Said::Else;
            }
            Said::Greeting(Greeting { version })
        }
        [_, _, 0, 0, ERROR, _, _, text @ ..] => {
            Said::Error(String::from_utf8_lossy(text).into_owned())
        }
        _ => Said::Else,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_the_version_and_mariadb_its_name() {
        let bytes = b"\x4a\0\0\0\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0rest";
        let Said::Greeting(greeting) = parse(bytes) else {
            unreachable!("it is a greeting")
        };
        assert_eq!(greeting.product().as_deref(), Some("MariaDB 10.11.6"));
        let dolt = Greeting {
            version: "8.0.33".to_owned(),
        };
        assert_eq!(dolt.product(), None);
    }

    #[test]
    fn a_server_that_turns_away_and_one_of_another_kind_are_told_apart() {
        assert_eq!(
            parse(b"\x10\0\0\0\xff\x10\x04Too many connections"),
            Said::Error("Too many connections".to_owned())
        );
        assert_eq!(parse(b"SSH-2.0-OpenSSH_9.2\r\n"), Said::Else);
        assert_eq!(parse(b""), Said::Else);
    }
}
