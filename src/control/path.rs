//! A path as it goes over the socket.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
