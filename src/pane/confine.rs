//! Keeps a terminal's programs from the instance: its sockets, its tokens, its other files.
//!
//! A confined program runs in a mount namespace of its own, where tundra's folders are covered by empty ones, and in a
//! Landlock domain, so that it can neither uncover them nor look into processes outside (`ptrace`, `/proc/PID/root`). Whoever
//! serves a local socket asks [`Confined::has`] besides, which knows such processes also after `fork` and `setsid`. What this
//! cannot hold: the programs have the same user, so files elsewhere, the network and whatever other programs of the user
//! offer them stay open to them.

use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::error::PaneError;
use super::options::PrivateFolders;
use super::session::{self, Ancestor};
use crate::runtime::user_namespace;

/// Variables that lead commands to the instance.
pub(super) const LEADING_VARIABLES: [&str; 2] = ["TUNDRA_HOME", "TUNDRA_CONFIG"];

/// The most generations between a process and its terminal's first one that are looked at.
const MAX_GENERATIONS: usize = 256;

/// What a child does to confine itself, made ready before the fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pin: Option<CString>,
    covers: Vec<CString>,
    /// The user namespace in which the mounts are made, where root's rights are missing for them.
    user: Option<RawFd>,
}

impl Plan {
    /// Hides and pins those of `folders` that exist.
    ///
    /// # Errors
    /// [`PaneError::SpawnFailed`] where `cwd` lies in one of them, or this system confines nothing.
    pub fn new(folders: &PrivateFolders, cwd: &Path) -> Result<Self, PaneError> {
        if !cfg!(target_os = "linux") {
            let why = "confine: only Linux can keep a program from files of its own user";
            return Err(PaneError::SpawnFailed(why.into()));
        }
        let real = |path: &Path| std::fs::canonicalize(path);
        let text = |path: &PathBuf| CString::new(path.as_os_str().as_bytes()).ok();
        let pinned = folders.pinned.as_ref().and_then(|path| real(path).ok());
        let covered = folders.covered.iter();
        let folders: Vec<PathBuf> = covered.filter_map(|path| real(path).ok()).collect();
        let inside = real(cwd).is_ok_and(|cwd| folders.iter().any(|path| cwd.starts_with(path)));
        if inside {
            return Err(PaneError::SpawnFailed(format!(
                "working directory {}: a confined terminal cannot be in a folder of tundra's own",
                cwd.display()
            )));
        }
        let covers = outermost(&folders).filter_map(text).collect();
        let user = if rustix::process::geteuid().is_root() {
            None
        } else {
            let none = "confine: this system gives its users no user namespaces, without which only root confines";
            let user = user_namespace::descriptor();
            Some(user.ok_or_else(|| PaneError::SpawnFailed(none.into()))?)
        };
        Ok(Self {
            pin: pinned.as_ref().and_then(text),
            covers,
            user,
        })
    }

    /// Confines the calling process, for good. For a forked child alone: async-signal-safe, allocates nothing.
    ///
    /// # Errors
    /// What a system call answered.
    #[cfg(target_os = "linux")]
    pub fn enter(&self) -> io::Result<()> {
        if let Some(user) = self.user {
            // SAFETY: takes integers; the forked child has one thread.
            #[allow(unsafe_code)]
            let entered = unsafe { libc::setns(user, libc::CLONE_NEWUSER) };
            checked(entered)?;
        }
        // SAFETY: takes an integer; the forked child has one thread.
        #[allow(unsafe_code)]
        let unshared = unsafe { libc::unshare(libc::CLONE_NEWNS) };
        checked(unshared)?;
        // What is mounted from here on stays in this namespace.
        mount(c"none", c"/", c"none", libc::MS_REC | libc::MS_PRIVATE, c"")?;
        if let Some(pin) = &self.pin {
            // What is mounted somewhere cannot be renamed.
            mount(pin, pin, c"none", libc::MS_BIND | libc::MS_REC, c"")?;
        }
        let flags = libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        for folder in &self.covers {
            mount(c"tmpfs", folder, c"tmpfs", flags, c"size=4k,mode=0500")?;
        }
        if self.user.is_none() {
            drop_root_capabilities()?;
        }
        enter_landlock()
    }

    /// Never called: [`Plan::new`] makes none here.
    #[cfg(not(target_os = "linux"))]
    pub fn enter(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Those that lie in none of the others: what covers a folder covers all that is in it.
fn outermost(folders: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    folders
        .iter()
        .enumerate()
        .filter(|(index, folder)| {
            let others = folders.iter().enumerate();
            let mut covering = others.filter(|(other, cover)| {
                // Of two that are the same the first one covers.
                folder.starts_with(cover) && (folder != cover || other < index)
            });
            covering.next().is_none()
        })
        .map(|(_, folder)| folder)
}

#[cfg(target_os = "linux")]
fn checked(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn mount(
    source: &std::ffi::CStr,
    target: &std::ffi::CStr,
    kind: &std::ffi::CStr,
    flags: libc::c_ulong,
    data: &std::ffi::CStr,
) -> io::Result<()> {
    // SAFETY: five pointers to strings that outlive the call, which reads and keeps nothing of them.
    #[allow(unsafe_code)]
    let mounted = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            kind.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    checked(mounted)
}

/// What would let programs of root look into others, change mounts, or reach a file below what covers it, in spite of
/// Landlock (`linux/capability.h`): `CAP_DAC_READ_SEARCH` (files by their handles, `open_by_handle_at(2)`), `CAP_SYS_MODULE`,
/// `CAP_SYS_RAWIO` (memory as a device), `CAP_SYS_PTRACE`, `CAP_SYS_ADMIN`, and `CAP_PERFMON`, `CAP_BPF` and
/// `CAP_CHECKPOINT_RESTORE`, which older kernels do not know. Files stay open to root by `CAP_DAC_OVERRIDE`.
#[cfg(target_os = "linux")]
const TAKEN: [libc::c_ulong; 8] = [2, 16, 17, 19, 21, 38, 39, 40];

/// Takes these from root's programs.
///
/// # Errors
/// What a system call answered.
#[cfg(target_os = "linux")]
fn drop_root_capabilities() -> io::Result<()> {
    for capability in TAKEN {
        // SAFETY: takes integers.
        #[allow(unsafe_code)]
        let dropped = unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
        match checked(dropped) {
            Err(error) if error.raw_os_error() != Some(libc::EINVAL) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Enters a Landlock domain (`landlock(7)`). All that it forbids by rule is to make block devices; what counts is what every
/// domain brings: no `ptrace` of processes outside of it, and no change of mounts.
///
/// # Errors
/// What a system call answered, but for a kernel without Landlock (before Linux 5.13, or switched off): there a program of
/// root could uncover the folders again.
#[cfg(target_os = "linux")]
fn enter_landlock() -> io::Result<()> {
    const MAKE_BLOCK: u64 = 1 << 11;
    // SAFETY: takes integers.
    #[allow(unsafe_code)]
    let set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    checked(set)?;
    let handled: u64 = MAKE_BLOCK;
    // SAFETY: the attribute is the first version of `landlock_ruleset_attr`, one integer of 64 bits, given with its size; the
    // kernel reads it during the call.
    #[allow(unsafe_code)]
    let ruleset = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            &raw const handled,
            size_of::<u64>(),
            0,
        )
    };
    if ruleset < 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EOPNOTSUPP) => Ok(()),
            _ => Err(error),
        };
    }
    // SAFETY: takes the descriptor that was just made, which stays open until the program is executed and is closed then,
    // since the kernel makes it close-on-exec.
    #[allow(unsafe_code)]
    let restricted = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) };
    if restricted < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// How the processes of one confined terminal are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confined {
    leader: Pid,
    /// The terminal's device number, as the kernel tells it of processes; 0 where it is not known.
    tty: i32,
    /// Device and inode of the mount namespace.
    namespace: Option<(u64, u64)>,
}

impl Confined {
    /// Looks at a leader that has just been started.
    pub fn of_leader(leader: Pid) -> Self {
        Self {
            leader,
            tty: session::ancestor(leader).map_or(0, |process| process.tty),
            namespace: namespace(leader),
        }
    }

    /// The device number of its terminal, and its mount namespace, for another program.
    pub fn parts(&self) -> (i32, Option<(u64, u64)>) {
        (self.tty, self.namespace)
    }

    /// A terminal that another program has looked at.
    pub fn resume(leader: Pid, tty: i32, namespace: Option<(u64, u64)>) -> Self {
        Self {
            leader,
            tty,
            namespace,
        }
    }

    /// Whether a process is one of these terminals'. Its mount namespace tells so, which it cannot leave; where that is not
    /// to be read, its session, its terminal or an ancestor of it. A process that is not there any more, and may have handed
    /// on what it opened, counts as one.
    pub fn has(all: &[Self], pid: Pid) -> bool {
        if all.is_empty() {
            return false;
        }
        let found = namespace(pid);
        if found.is_some() && all.iter().any(|terminal| terminal.namespace == found) {
            return true;
        }
        let mut next = Some(pid);
        for _ in 0..MAX_GENERATIONS {
            let Some(pid) = next else { return false };
            let Some(process) = session::ancestor(pid) else {
                return true;
            };
            if all
                .iter()
                .any(|terminal| terminal.is_known_by(pid, process))
            {
                return true;
            }
            next = process.parent;
        }
        true
    }

    fn is_known_by(&self, pid: Pid, process: Ancestor) -> bool {
        let same_tty = self.tty != 0 && process.tty == self.tty;
        pid == self.leader || process.session == self.leader.as_raw_nonzero().get() || same_tty
    }
}

fn namespace(pid: Pid) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let path = format!("/proc/{}/ns/mnt", pid.as_raw_nonzero());
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn this() -> Pid {
        rustix::process::getpid()
    }

    #[test]
    fn nobody_is_confined_where_no_terminal_is() {
        assert!(!Confined::has(&[], this()));
    }

    #[test]
    fn a_process_is_known_by_its_ancestor_and_one_that_is_gone_counts() {
        let child = std::process::Command::new("setsid")
            .args(["-w", "sleep", "30"])
            .spawn();
        let Ok(mut child) = child else { return };
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        let terminal = |leader| Confined {
            leader,
            tty: 0,
            namespace: None,
        };
        assert!(Confined::has(&[terminal(this())], pid));
        assert!(!Confined::has(&[terminal(pid)], this()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Confined::has(&[terminal(this())], pid));
    }

    #[test]
    fn a_folder_within_one_that_is_covered_needs_no_cover() {
        let folders = ["/s/logs", "/s", "/run/s", "/s", "/slow"].map(PathBuf::from);
        let left: Vec<&Path> = outermost(&folders).map(PathBuf::as_path).collect();
        assert_eq!(left, ["/s", "/run/s", "/slow"].map(Path::new));
    }

    #[test]
    fn a_folder_of_tundras_own_is_no_place_for_a_confined_terminal() {
        let folder = std::env::temp_dir();
        let covering = |path: &Path| PrivateFolders {
            pinned: None,
            covered: vec![path.to_owned()],
        };
        let plan = Plan::new(&covering(&folder), &folder);
        assert!(plan.is_err_and(|error| error.to_string().contains("a folder of tundra's own")));
        if rustix::process::geteuid().is_root() {
            let plan = Plan::new(&covering(Path::new("/no/such/folder")), &folder);
            assert!(plan.is_ok_and(|plan| plan.covers.is_empty()));
        }
    }
}
