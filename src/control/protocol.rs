//! What goes over the socket: one line of JSON each way.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::shapes::ErrorShape;

/// The longest request, in bytes: a paste of a few MiB, escaped.
pub(super) const MAX_REQUEST: usize = 8 << 20;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Request {
    List,
    Open {
        name: Option<String>,
        command: Vec<String>,
        cwd: Option<WirePath>,
        env: Vec<(String, String)>,
        cols: u16,
        rows: u16,
        persistent: bool,
        agent: Option<String>,
    },
    Input {
        id: String,
        parts: Vec<InputPart>,
    },
    Capture {
        id: String,
        scrollback: bool,
        ansi: bool,
    },
    Resize {
        id: String,
        cols: u16,
        rows: u16,
    },
    Rename {
        id: String,
        name: String,
    },
    /// Answered once the terminal is dead and reaped.
    Kill {
        id: String,
    },
    Wait {
        id: String,
        until: WaitCondition,
        timeout_ms: u64,
    },
    Status,
    /// An address for a browser.
    Url {
        id: Option<String>,
    },
    Providers,
    Provider {
        command: ProviderCommand,
    },
    /// Answered by many lines: [`AskPart`]s to the last one, or an error.
    Ask {
        prompt: String,
        model: Option<String>,
        profile: Option<String>,
    },
}

/// A path. Nearly every one is text; one that is not goes over as its bytes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum WirePath {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<PathBuf> for WirePath {
    fn from(path: PathBuf) -> Self {
        match path.into_os_string().into_string() {
            Ok(text) => Self::Text(text),
            Err(path) => Self::Bytes(path.into_vec()),
        }
    }
}

impl From<WirePath> for PathBuf {
    fn from(path: WirePath) -> Self {
        match path {
            WirePath::Text(text) => text.into(),
            WirePath::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

/// What to do with a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderCommand {
    Failover {
        /// None for the one that requests now go to.
        from: Option<String>,
        hold_ms: Option<u64>,
    },
    Pin(String),
    Unpin,
    Reset(String),
    /// Answered once a server that tundra runs takes requests again.
    Restart(String),
    Enable(String),
    Disable(String),
}

/// A piece of the answer to a prompt.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AskPart {
    Text(String),
    End { profile: Option<String> },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputPart {
    Text(String),
    Paste(String),
    /// A chord by its name.
    Key(String),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitCondition {
    /// A regular expression.
    Text(String),
    Exit,
    /// The name of an agent's state or a terminal's status.
    State(String),
}

/// How a wait came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitOutcome {
    Holds,
    TimedOut,
    /// The terminal ended, so that it will never hold.
    Ended,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply<T> {
    Ok(T),
    Error(ErrorShape),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_and_reads_back() {
        let request = Request::Input {
            id: "agent".to_owned(),
            parts: vec![
                InputPart::Text("a\nb".to_owned()),
                InputPart::Key("C-c".to_owned()),
            ],
        };
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(
            line,
            r#"{"op":"input","id":"agent","parts":[{"text":"a\nb"},{"key":"C-c"}]}"#
        );
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    }

    #[test]
    fn a_path_goes_over_as_text_or_else_as_its_bytes() {
        for (path, json) in [
            (b"/tmp/\xc3\xa9".as_slice(), "\"/tmp/\u{e9}\""),
            (b"/\xff", "[47,255]"),
        ] {
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            let line = serde_json::to_string(&WirePath::from(path.clone())).unwrap();
            assert_eq!(line, json);
            let read: WirePath = serde_json::from_str(&line).unwrap();
            assert_eq!(PathBuf::from(read), path);
        }
    }

    #[test]
    fn a_reply_says_ok_or_error() {
        let reply = Reply::Ok(WaitOutcome::TimedOut);
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"ok":"timed_out"}"#
        );
        let reply: Reply<()> = Reply::Error(ErrorShape::new("gone", "it is"));
        assert_eq!(
            serde_json::to_string(&reply).unwrap(),
            r#"{"error":{"code":"gone","message":"it is"}}"#
        );
    }
}
