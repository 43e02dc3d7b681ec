//! What a child writes: a file that is kept within bounds.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::domain::printable::blanked;
use crate::runtime::private::{self, Access};

/// A longer log is set aside; one that was set aside before goes.
const MAX_BYTES: u64 = 10 << 20;
/// As much of a log's end as is read to be shown.
const TAIL_BYTES: u64 = 64 << 10;

/// Opens a log to append to, for its owner alone.
pub(super) fn open(path: &Path) -> io::Result<File> {
    private::open(path, Access::Append)
}

/// Sets a log aside that has grown too long. The child keeps writing to the same file, which is emptied under it.
pub(super) fn bound(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.len() <= MAX_BYTES {
        return Ok(());
    }
    let aside = path.with_extension("log.1");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::copy(path, &aside)?;
    private::open(path, Access::Update)?.set_len(0)
}

/// The last lines of a log, without what a terminal would take for commands.
pub(super) fn tail(path: &Path, lines: usize) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let first = all.len().saturating_sub(lines);
    let last = all.iter().skip(first);
    Ok(last.map(|line| blanked(line).collect()).collect())
}

/// The log of a child, in a file that any name makes.
pub(super) fn path(folder: &Path, name: &str) -> PathBuf {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    folder.join(format!("server-{name}.log"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_long_log_is_set_aside_and_its_end_is_read() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let path = path(folder, "a b/../c");
        assert_eq!(path.parent(), Some(folder));
        let mut log = open(&path).unwrap();
        log.write_all(b"one\ntwo\x1b[31m\nthree\n").unwrap();
        assert_eq!(tail(&path, 2).unwrap(), ["two [31m", "three"]);
        log.write_all(&vec![b'x'; usize::try_from(MAX_BYTES).unwrap()])
            .unwrap();
        bound(&path).unwrap();
        log.write_all(b"after\n").unwrap();
        assert_eq!(tail(&path, 5).unwrap(), ["after"]);
    }
}
