//! The log's files, read: what was set aside first, the newest last, and what is written from now on.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::lines::LineFilter;
use super::rotate::aside;

/// The log's files, the oldest first; none where nothing was logged yet.
#[must_use]
pub fn files(log_file: &Path) -> Vec<PathBuf> {
    let set_aside = (1..).map(|number| aside(log_file, number));
    let mut files: Vec<PathBuf> = set_aside.take_while(|path| path.exists()).collect();
    files.reverse();
    files.extend(log_file.exists().then(|| log_file.to_owned()));
    files
}

/// Tells each line that is wanted, the newest last, and at most the last so many; then the place where reading goes on.
///
/// # Errors
/// Whatever `tell` fails with, or [`io::Error`] where a file cannot be read.
pub fn read(
    log_file: &Path,
    filter: &LineFilter,
    last: Option<usize>,
    mut tell: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<Tail> {
    let mut tail = Tail::new(log_file);
    let mut kept = VecDeque::new();
    for path in files(log_file) {
        let Some(mut open) = OpenLog::open(&path)? else {
            continue;
        };
        open.lines(|line| {
            if !filter.admits(line) {
                return Ok(());
            }
            match last {
                None => tell(line)?,
                Some(0) => {}
                Some(most) => {
                    if kept.len() == most {
                        kept.pop_front();
                    }
                    kept.push_back(line.to_owned());
                }
            }
            Ok(())
        })?;
        tail.open = Some(open);
    }
    for line in kept {
        tell(&line)?;
    }
    Ok(tail)
}

/// The last lines of the log that are wanted, of the last `bytes` of its newest file; for a screen.
///
/// # Errors
/// [`io::Error`] where the file cannot be read.
pub fn read_end(log_file: &Path, filter: &LineFilter, bytes: u64) -> io::Result<Vec<String>> {
    let Some(mut open) = OpenLog::open(log_file)? else {
        return Ok(Vec::new());
    };
    let length = open.reader.get_ref().metadata()?.len();
    let mut is_cut = length > bytes;
    if is_cut {
        open.reader.seek(SeekFrom::Start(length - bytes))?;
    }
    let mut lines = Vec::new();
    open.lines(|line| {
        // The first one may have lost its beginning.
        if !std::mem::take(&mut is_cut) && filter.admits(line) {
            lines.push(line.to_owned());
        }
        Ok(())
    })?;
    Ok(lines)
}

/// Where a log that is followed was read to.
#[derive(Debug)]
pub struct Tail {
    log_file: PathBuf,
    open: Option<OpenLog>,
}

impl Tail {
    fn new(log_file: &Path) -> Self {
        Self {
            log_file: log_file.to_owned(),
            open: None,
        }
    }

    /// Tells each line that was written since and is wanted, through whatever was set aside meanwhile.
    ///
    /// # Errors
    /// Whatever `tell` fails with, or [`io::Error`] where a file cannot be read.
    pub fn read_on(
        &mut self,
        filter: &LineFilter,
        mut tell: impl FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut tell = |line: &str| {
            if filter.admits(line) {
                tell(line)?;
            }
            Ok(())
        };
        let known = self.open.as_ref().map(|open| open.file);
        if let Some(open) = &mut self.open {
            open.lines(&mut tell)?;
        }
        // What came after the file that was open.
        let files = files(&self.log_file);
        let identities: Vec<_> = files.iter().map(|path| identity(path)).collect();
        let place = identities.iter().position(|file| *file == known);
        let first = match (known, place) {
            (Some(_), Some(place)) => place + 1,
            // Gone, or never there: whatever there is, is new.
            (Some(_) | None, _) => 0,
        };
        for path in files.iter().skip(first) {
            if let Some(mut open) = OpenLog::open(path)? {
                open.lines(&mut tell)?;
                self.open = Some(open);
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct OpenLog {
    reader: BufReader<File>,
    /// Device and number.
    file: (u64, u64),
    /// The beginning of a line whose end is yet to be written.
    begun: Vec<u8>,
}

impl OpenLog {
    /// None where it was set aside meanwhile.
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let metadata = file.metadata()?;
        Ok(Some(Self {
            file: (metadata.dev(), metadata.ino()),
            reader: BufReader::with_capacity(1 << 16, file),
            begun: Vec::new(),
        }))
    }

    /// Every whole line up to the end of the file.
    fn lines(&mut self, mut tell: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
        loop {
            let read = self
                .reader
                .by_ref()
                .take(1 << 20)
                .read_until(b'\n', &mut self.begun)?;
            if read == 0 {
                return Ok(());
            }
            let Some((b'\n', line)) = self.begun.split_last() else {
                continue;
            };
            tell(&String::from_utf8_lossy(line))?;
            self.begun.clear();
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn all(log: &Path) -> (Vec<String>, Tail) {
        let mut lines = Vec::new();
        let tail = read(log, &LineFilter::default(), None, |line| {
            lines.push(line.to_owned());
            Ok(())
        });
        (lines, tail.unwrap())
    }

    fn more(tail: &mut Tail) -> Vec<String> {
        let mut lines = Vec::new();
        let read = tail.read_on(&LineFilter::default(), |line| {
            lines.push(line.to_owned());
            Ok(())
        });
        read.unwrap();
        lines
    }

    #[test]
    fn what_was_set_aside_comes_first_and_is_followed_through() {
        let folder = std::env::temp_dir().join(format!("tundra-files-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let log = folder.join("tundra.log");
        assert_eq!(all(&log).0, [""; 0]);
        let mut unused = all(&log).1;
        fs::write(aside(&log, 2), "1\n").unwrap();
        fs::write(aside(&log, 1), "2\n3\n").unwrap();
        fs::write(&log, "4\n5").unwrap();
        assert_eq!(more(&mut unused), ["1", "2", "3", "4"]);
        let (lines, mut tail) = all(&log);
        assert_eq!(lines, ["1", "2", "3", "4"]);
        let append = |text: &str| {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&log)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        append("5\n6\n");
        assert_eq!(
            more(&mut tail),
            ["55", "6"],
            "a line is told once it is whole"
        );
        // Set aside twice, with something written before and between.
        append("7\n");
        fs::rename(aside(&log, 1), aside(&log, 3)).unwrap();
        fs::rename(&log, aside(&log, 2)).unwrap();
        fs::write(aside(&log, 1), "8\n").unwrap();
        append("9\n");
        assert_eq!(more(&mut tail), ["7", "8", "9"]);
        assert_eq!(more(&mut tail), [""; 0]);
        let mut last = Vec::new();
        let read = read(&log, &LineFilter::default(), Some(2), |line| {
            last.push(line.to_owned());
            Ok(())
        });
        read.unwrap();
        assert_eq!(last, ["8", "9"]);
        append(&"x".repeat(100));
        append("\n10\n");
        let end = read_end(&log, &LineFilter::default(), 50).unwrap();
        assert_eq!(end, ["10"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
