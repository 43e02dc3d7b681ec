//! The files of the predecessor, wherever its folder has them.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::ImportError;

/// A file larger than this many bytes holds no profiles.
const MAX_BYTES: u64 = 4 << 20;

/// A file that was read.
pub(super) struct Source {
    path: PathBuf,
    pub text: String,
}

impl Source {
    pub fn malformed(&self, message: &dyn ToString) -> ImportError {
        ImportError::Malformed {
            path: self.path.clone(),
            message: message.to_string(),
        }
    }
}

/// A file in a subfolder of the folder, or in the folder itself.
pub(super) fn read(folder: &Path, within: &str, name: &str) -> Result<Option<Source>, ImportError> {
    for path in [folder.join(within).join(name), folder.join(name)] {
        let failed = |source| ImportError::Unreadable {
            path: path.clone(),
            source,
        };
        // Opened without waiting for whoever writes into a pipe.
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(io::Error::other("it is no file")));
        }
        let mut text = String::new();
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(failed(io::Error::other("it is larger than 4MiB")));
        }
        return Ok(Some(Source { path, text }));
    }
    Ok(None)
}
