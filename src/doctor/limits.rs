//! What the kernel allows, and how many terminals that makes.

use std::fmt::Write as _;

use rustix::process::Resource;

use super::subject::Subject;
use crate::domain::check::Check;
use crate::runtime::proc;

pub(super) const NAMES: [&str; 4] = [
    "limits.files",
    "limits.processes",
    "limits.ptys",
    "limits.pool",
];
/// What one terminal takes: its pty's descriptors and those of its wake-up pipe.
const FILES_PER_TERMINAL: u64 = 3;
/// Its thread, and the program in it.
const TASKS_PER_TERMINAL: u64 = 2;
/// What the instance needs besides: listeners, journal, log, connections.
const FILES_BESIDE: u64 = 64;
/// So many files are enough for the pool's default and a few dozen connections.
const FILES_ENOUGH: u64 = 256;
const DEFAULT_POOL: u64 = 10;

pub(super) fn checks(subject: &Subject) -> Vec<Check> {
    let found = Found::of(subject);
    let wanted = subject
        .settings_or_default()
        .and_then(|settings| u64::try_from(settings.pty.max_ptys).ok())
        .unwrap_or(DEFAULT_POOL);
    vec![
        files(&found),
        processes(&found),
        ptys(&found),
        pool(&found, wanted),
    ]
}

/// The numbers; without a limit it is the largest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    /// Descriptors that an instance may have: tundra raises the soft limit to the hard one.
    files: u64,
    /// Of the running instance.
    files_used: Option<u64>,
    /// Processes and threads of this user, or of this container.
    tasks: u64,
    tasks_used: u64,
    /// Pseudo terminals of this system.
    ptys: Option<u64>,
    ptys_used: u64,
    /// Whether a pseudo terminal can be opened now.
    opens: bool,
}

impl Found {
    fn of(subject: &Subject) -> Self {
        let pid = subject.status().map(|status| status.pid);
        let own = rustix::process::getrlimit(Resource::Nofile);
        let of_instance = pid.and_then(proc::open_files_limit).map(|(soft, _)| soft);
        let used = pid.and_then(proc::open_files);
        let per_user = rustix::process::getrlimit(Resource::Nproc).current;
        let limits = [
            per_user,
            proc::number("/sys/fs/cgroup/pids.max"),
            proc::number("/proc/sys/kernel/threads-max"),
        ];
        Self {
            files: of_instance.unwrap_or(own.maximum.unwrap_or(u64::MAX)),
            files_used: used.and_then(|used| u64::try_from(used).ok()),
            tasks: limits.into_iter().flatten().min().unwrap_or(u64::MAX),
            tasks_used: u64::try_from(proc::processes().len()).unwrap_or_default(),
            ptys: proc::number("/proc/sys/kernel/pty/max"),
            ptys_used: proc::number("/proc/sys/kernel/pty/nr").unwrap_or_default(),
            opens: rustix::pty::openpt(rustix::pty::OpenptFlags::NOCTTY).is_ok(),
        }
    }

    /// How many terminals the system allows, and the terms of the minimum.
    fn allowed(&self) -> (u64, String) {
        let files = self.files.saturating_sub(FILES_BESIDE) / FILES_PER_TERMINAL;
        let tasks = self.tasks.saturating_sub(self.tasks_used) / TASKS_PER_TERMINAL;
        let mut allowed = files.min(tasks);
        let mut terms = format!(
            "files ({} - {FILES_BESIDE}) / {FILES_PER_TERMINAL} = {}, processes ({} - {}) / {TASKS_PER_TERMINAL} = {}",
            shown(self.files),
            shown(files),
            shown(self.tasks),
            self.tasks_used,
            shown(tasks),
        );
        if let Some(ptys) = self.ptys {
            let left = ptys.saturating_sub(self.ptys_used);
            allowed = allowed.min(left);
            let _ = write!(terms, ", ptys {ptys} - {} = {left}", self.ptys_used);
        }
        (allowed, terms)
    }
}

fn shown(number: u64) -> String {
    // rlimits without a limit, and what they are divided into.
    if number > u64::from(u32::MAX) {
        "unlimited".to_owned()
    } else {
        number.to_string()
    }
}

fn files(found: &Found) -> Check {
    let name = "limits.files";
    let mut message = format!("{} open files allowed", shown(found.files));
    if let Some(used) = found.files_used {
        let _ = write!(message, ", {used} in use by the running tundra");
        if used * 10 > found.files.saturating_mul(9) {
            return Check::fail(
                name,
                message,
                "tundra kill what is not needed, then ulimit -n 4096 and start tundra again",
            );
        }
    }
    if found.files < FILES_ENOUGH {
        return Check::warn(
            name,
            message,
            "ulimit -n 4096 before tundra is started (LimitNOFILE= in a unit)",
        );
    }
    Check::ok(name, message)
}

fn processes(found: &Found) -> Check {
    let name = "limits.processes";
    let message = format!(
        "{} processes and threads allowed, {} processes run",
        shown(found.tasks),
        found.tasks_used
    );
    let left = found.tasks.saturating_sub(found.tasks_used);
    if left < TASKS_PER_TERMINAL * DEFAULT_POOL {
        return Check::warn(
            name,
            message,
            "raise ulimit -u, TasksMax= of the unit, or the container's limit on pids",
        );
    }
    Check::ok(name, message)
}

fn ptys(found: &Found) -> Check {
    let name = "limits.ptys";
    let counted = match found.ptys {
        Some(most) => format!("{} of {most} in use", found.ptys_used),
        None => "the system tells no limit".to_owned(),
    };
    if !found.opens {
        return Check::fail(
            name,
            format!("no pseudo terminal can be opened ({counted})"),
            "mount devpts at /dev/pts (in a container: its own), or sysctl kernel.pty.max=4096",
        );
    }
    if found
        .ptys
        .is_some_and(|most| found.ptys_used * 10 > most * 9)
    {
        return Check::warn(
            name,
            counted,
            "sysctl kernel.pty.max=4096, or end what holds them",
        );
    }
    Check::ok(name, format!("one was opened; {counted}"))
}

fn pool(found: &Found, wanted: u64) -> Check {
    let name = "limits.pool";
    let (allowed, terms) = found.allowed();
    let message = format!(
        "pty.max_ptys = {wanted}, this system allows {}: the least of {terms}",
        shown(allowed)
    );
    if wanted > allowed {
        let cure = match allowed {
            0 => "raise the limit that is the least: not one terminal fits into it".to_owned(),
            some => format!("pty.max_ptys = {some}, or raise the limit that is the least"),
        };
        return Check::fail(name, message, cure);
    }
    Check::ok(name, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::CheckStatus;

    const ROOMY: Found = Found {
        files: 1024,
        files_used: None,
        tasks: 4096,
        tasks_used: 96,
        ptys: Some(4096),
        ptys_used: 6,
        opens: true,
    };

    #[test]
    fn the_pool_that_fits_is_the_least_of_what_the_system_allows() {
        let check = pool(&ROOMY, 10);
        assert_eq!(
            check.message,
            "pty.max_ptys = 10, this system allows 320: the least of files (1024 - 64) / 3 = 320, processes (4096 - 96) / 2 \
             = 2000, ptys 4096 - 6 = 4090"
        );
        assert_eq!(check.status, CheckStatus::Ok);
        assert_eq!(pool(&ROOMY, 321).status, CheckStatus::Fail);
        let unlimited = Found {
            files: u64::MAX,
            tasks: u64::MAX,
            ptys: None,
            ..ROOMY
        };
        assert!(pool(&unlimited, 1000).message.contains("allows unlimited"));
    }

    #[test]
    fn what_runs_out_is_told() {
        let few = Found {
            files: 64,
            files_used: Some(60),
            tasks: 100,
            opens: false,
            ..ROOMY
        };
        assert_eq!(files(&few).status, CheckStatus::Fail);
        assert_eq!(
            pool(&few, 10).cure.as_deref(),
            Some("raise the limit that is the least: not one terminal fits into it")
        );
        assert_eq!(processes(&few).status, CheckStatus::Warn);
        assert_eq!(ptys(&few).status, CheckStatus::Fail);
        assert_eq!(files(&ROOMY).status, CheckStatus::Ok);
    }
}
