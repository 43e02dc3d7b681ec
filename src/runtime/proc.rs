//! What Linux tells of processes and locks: proc(5). Where there is no `/proc` nothing is known, and each answer says so.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process or a thread, as far as it can be seen: `proc_pid_stat(5)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub parent: u32,
    /// Its process group.
    pub group: i32,
    pub session: i32,
    /// The device number of its terminal; 0 for none.
    pub terminal: i32,
    /// The foreground process group of its terminal; -1 for none.
    pub foreground: i32,
    /// As `comm` has it: at most 15 bytes.
    pub name: String,
    /// The processor time that it has used, in clock ticks.
    pub used_ticks: u64,
    /// When it started, in clock ticks since boot: tells it from a later bearer of its number.
    pub start_ticks: u64,
    /// Ended, and not waited for by its parent.
    pub is_zombie: bool,
    /// Runs, or waits for a processor or a disk.
    pub is_busy: bool,
    /// Stopped by a signal or by whoever traces it.
    pub is_stopped: bool,
}

/// The numbers of all processes that can be seen.
pub fn pids() -> impl Iterator<Item = u32> {
    numbers_in("/proc")
}

/// Every process that can be seen.
#[must_use]
pub fn processes() -> Vec<Process> {
    pids().filter_map(process).collect()
}

/// One process; `None` for one that is gone.
#[must_use]
pub fn process(pid: u32) -> Option<Process> {
    stat(pid, &format!("/proc/{pid}/stat"))
}

/// The threads of a process.
pub fn threads(pid: u32) -> impl Iterator<Item = Process> {
    let tasks = format!("/proc/{pid}/task");
    numbers_in(&tasks).filter_map(move |thread| stat(thread, &format!("{tasks}/{thread}/stat")))
}

/// Whether the kernel keeps lists of [`children`].
#[must_use]
pub fn lists_children() -> bool {
    Path::new("/proc/thread-self/children").exists()
}

/// The processes that a process has started, zombies among them.
pub fn children(pid: u32) -> impl Iterator<Item = Process> {
    let tasks = format!("/proc/{pid}/task");
    let lists = numbers_in(&tasks)
        .filter_map(move |thread| fs::read_to_string(format!("{tasks}/{thread}/children")).ok());
    let numbers = |list: String| -> Vec<u32> {
        let words = list.split_ascii_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    lists.flat_map(numbers).filter_map(process)
}

fn numbers_in(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn stat(pid: u32, path: &str) -> Option<Process> {
    let stat = fs::read(path).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name may hold spaces and parentheses itself: it ends at the last one.
    let (head, rest) = stat.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let terminal = fields.next()?.parse().ok()?;
    let foreground = fields.next()?.parse().ok()?;
    let user: u64 = fields.nth(5)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Process {
        pid,
        parent,
        group,
        session,
        terminal,
        foreground,
        name: name.to_owned(),
        used_ticks: user.saturating_add(system),
        start_ticks: fields.nth(6)?.parse().ok()?,
        is_zombie: matches!(state, "Z" | "X"),
        is_busy: matches!(state, "R" | "D"),
        is_stopped: matches!(state, "T" | "t"),
    })
}

/// The value of a variable that a process was started with; `None` where it has none, or may not be looked at.
#[must_use]
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let wanted = format!("{name}=");
    environ
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(wanted.as_bytes()))
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Open descriptors of a process; `None` where it may not be looked at.
#[must_use]
pub fn open_files(pid: u32) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

/// The soft and the hard limit of a process on open files; `None` where they are not known. Without a limit it is the
/// largest number.
#[must_use]
pub fn open_files_limit(pid: u32) -> Option<(u64, u64)> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let mut fields = line.split_whitespace().map(|field| match field {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    });
    Some((fields.next()??, fields.next()??))
}

/// A number that the kernel tells in a file, such as `/proc/sys/kernel/pty/max`; `None` where it does not.
#[must_use]
pub fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Whether somebody holds a lock (flock(2)) on a file, found out without trying to take it; `None` where the kernel does
/// not tell.
#[must_use]
pub fn is_locked(path: &Path) -> Option<bool> {
    let inode = fs::metadata(path).ok()?.ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    Some(locks.lines().any(|line| {
        // `1: FLOCK  ADVISORY  WRITE 10242 fe:00:9979664 0 EOF`; those that wait have an arrow.
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some("FLOCK")
            && fields
                .nth(3)
                .and_then(|device| device.rsplit(':').next()?.parse::<u64>().ok())
                == Some(inode)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen_with_its_parent_and_its_files() {
        let me = process(std::process::id()).unwrap();
        assert_eq!(
            me.parent,
            rustix::process::getppid()
                .unwrap()
                .as_raw_nonzero()
                .get()
                .cast_unsigned()
        );
        assert!(!me.is_zombie);
        let listed = processes().into_iter().find(|other| other.pid == me.pid);
        // What it does, and how long it has, changes between two looks.
        let listed = listed.map(|listed| Process {
            used_ticks: me.used_ticks,
            is_busy: me.is_busy,
            ..listed
        });
        assert_eq!(listed, Some(me.clone()));
        assert!(open_files(me.pid).unwrap() >= 3);
        assert!(open_files_limit(me.pid).unwrap().0 > 0);
        assert_eq!(
            variable(me.pid, "PATH"),
            std::env::var("PATH").ok(),
            "as it was started"
        );
    }

    #[test]
    fn a_lock_is_seen_as_long_as_it_is_held() {
        let path = std::env::temp_dir().join(format!("tundra-lock-{}", std::process::id()));
        let file = fs::File::create(&path).unwrap();
        assert_eq!(is_locked(&path), Some(false));
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
        assert_eq!(is_locked(&path), Some(true));
        drop(file);
        assert_eq!(is_locked(&path), Some(false));
        fs::remove_file(&path).unwrap();
    }
}
