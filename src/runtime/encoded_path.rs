//! A path as JSON holds it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A path. Nearly every one is text; one that is not is its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EncodedPath {
    Text(String),
    Bytes(Vec<u8>),
}

impl Default for EncodedPath {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl From<PathBuf> for EncodedPath {
    fn from(path: PathBuf) -> Self {
        match path.into_os_string().into_string() {
            Ok(text) => Self::Text(text),
            Err(path) => Self::Bytes(path.into_vec()),
        }
    }
}

impl From<EncodedPath> for PathBuf {
    fn from(path: EncodedPath) -> Self {
        match path {
            EncodedPath::Text(text) => text.into(),
            EncodedPath::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_text_or_else_its_bytes() {
        for (path, json) in [
            (b"/tmp/\xc3\xa9".as_slice(), "\"/tmp/\u{e9}\""),
            (b"/\xff", "[47,255]"),
        ] {
            let path = PathBuf::from(OsString::from_vec(path.to_vec()));
            let line = serde_json::to_string(&EncodedPath::from(path.clone())).unwrap();
            assert_eq!(line, json);
            let read: EncodedPath = serde_json::from_str(&line).unwrap();
            assert_eq!(PathBuf::from(read), path);
        }
    }
}
