//! A process of its own that goes on without a terminal.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Which of the two a process is after [`fork`] or [`double`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The one that was there, with the other's pid.
    Parent(u32),
    Child,
}

/// Doubles this process, which must have a single thread. The child is the leader of a session of its own, so that no terminal
/// controls it.
///
/// # Errors
/// Where there is a second thread already, or the kernel has no room for another process.
pub fn fork() -> io::Result<Forked> {
    let forked = double()?;
    if forked == Forked::Child {
        rustix::process::setsid()?;
    }
    Ok(forked)
}

/// Doubles this process, which must have a single thread. The child stays in its session.
///
/// # Errors
/// Where there is a second thread already, or the kernel has no room for another process.
pub fn double() -> io::Result<Forked> {
    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads != 1 {
        return Err(io::Error::other("there is more than one thread"));
    }
    // SAFETY: no other thread exists that could hold a lock or be half way through anything, so the child may do whatever
    // the parent may.
    #[allow(unsafe_code)]
    let pid = unsafe { libc::fork() };
    match u32::try_from(pid) {
        Err(_) => Err(io::Error::last_os_error()),
        Ok(0) => Ok(Forked::Child),
        Ok(pid) => Ok(Forked::Parent(pid)),
    }
}

/// Takes note of the end of a child that has ended; does not wait for it.
pub fn reap(child: u32) {
    let pid = rustix::process::Pid::from_raw(child.cast_signed());
    let _ = rustix::process::waitpid(pid, rustix::process::WaitOptions::NOHANG);
}

/// Gives the memory back that the code of this process takes. What is run again is read from the program's file again, so
/// that a process which only waits is small.
pub fn release_code() {
    let (Ok(maps), Ok(program)) = (
        std::fs::read_to_string("/proc/self/maps"),
        std::env::current_exe(),
    ) else {
        return;
    };
    for (start, length) in maps.lines().filter_map(|line| code_mapping(line, &program)) {
        // SAFETY: the range is one of this process's private mappings of a file that nothing has been written to, as its
        // permissions say. Pages that are dropped come from the file again, with the same content.
        #[allow(unsafe_code)]
        let _ = unsafe {
            rustix::mm::madvise(
                std::ptr::with_exposed_provenance_mut(start),
                length,
                rustix::mm::Advice::LinuxDontNeed,
            )
        };
    }
}

/// Start and length of a mapping (`proc_pid_maps(5)`) where it is code or constants of the program. What the loader has
/// relocated is mapped read-only as well, but does not begin with the file.
fn code_mapping(line: &str, program: &Path) -> Option<(usize, usize)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let path = fields.nth(2)?;
    let is_clean = permissions == "r-xp" || (permissions == "r--p" && offset == 0);
    let address = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (address(start)?, address(end)?);
    (is_clean && Path::new(path) == program).then_some((start, end.checked_sub(start)?))
}

/// Gives standard input and output up, and lets what is written to standard error go to the end of a file. Where that file
/// cannot be had, it goes nowhere.
///
/// # Errors
/// Where there is no `/dev/null`.
pub fn release_stdio(errors: &Path) -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    let log = super::private::open(errors, super::private::Access::Append);
    let log: &File = log.as_ref().unwrap_or(&null);
    Ok(rustix::stdio::dup2_stderr(log.as_fd())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_the_programs_file_as_it_is_is_given_back() {
        let program = Path::new("/usr/bin/tundra");
        let mapping = |line| code_mapping(line, program);
        let code = "5600a000-5600c000 r-xp 00002000 08:01 7 /usr/bin/tundra";
        assert_eq!(mapping(code), Some((0x5600_a000, 0x2000)));
        let constants = "56008000-5600a000 r--p 00000000 08:01 7 /usr/bin/tundra";
        assert_eq!(mapping(constants), Some((0x5600_8000, 0x2000)));
        for other in [
            "5600c000-5600d000 r--p 00004000 08:01 7 /usr/bin/tundra",
            "5600d000-5600e000 rw-p 00005000 08:01 7 /usr/bin/tundra",
            "5600a000-5600c000 r-xp 00002000 08:01 7 /usr/lib/libc.so.6",
            "7ffd0000-7ffd1000 rw-p 00000000 00:00 0 [stack]",
            "7f000000-7f001000 rw-p 00000000 00:00 0",
        ] {
            assert_eq!(mapping(other), None, "{other}");
        }
        release_code();
        // It goes on.
        assert!(std::env::current_exe().is_ok());
    }
}
