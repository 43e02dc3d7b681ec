//! What the kernel allows this process.

use std::sync::OnceLock;

use rustix::process::{DumpableBehavior, Pid, Resource, Rlimit};

/// The soft limit on core files as it was, for children; None for no limit.
static CORE_BEFORE: OnceLock<Option<u64>> = OnceLock::new();

/// Raises the limit on open files to what the kernel allows, since each terminal holds three descriptors.
///
/// Returns the limits as they were (soft and hard), for children: programs that use `select` break above 1024.
/// None where there was no limit to raise.
pub fn raise_open_files() -> Option<(u64, u64)> {
    let before = rustix::process::getrlimit(Resource::Nofile);
    let (soft, hard) = (before.current?, before.maximum?);
    let raised = Rlimit {
        current: Some(hard),
        maximum: Some(hard),
    };
    rustix::process::setrlimit(Resource::Nofile, raised).ok()?;
    Some((soft, hard))
}

/// The most files that this process may have open; None where there is no limit.
pub fn open_files() -> Option<u64> {
    rustix::process::getrlimit(Resource::Nofile).current
}

/// Keeps this process's memory, which holds keys, from others of the same user: no core file, no `ptrace`, no
/// `/proc/PID/{environ,mem}`. A program that it starts is as open as ever; [`restore_core`] gives it back its core files.
pub fn close_memory() {
    let _ = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let before = rustix::process::getrlimit(Resource::Core);
    CORE_BEFORE.get_or_init(|| before.current);
    let none = Rlimit {
        current: Some(0),
        maximum: before.maximum,
    };
    let _ = rustix::process::setrlimit(Resource::Core, none);
}

/// The limit on core files that children get, for another program in this process; None where it was never changed.
pub fn core_before() -> Option<Option<u64>> {
    CORE_BEFORE.get().copied()
}

/// Takes over the limit on core files that children get, before [`close_memory`].
pub fn resume_core(before: Option<u64>) {
    let _ = CORE_BEFORE.set(before);
}

/// Gives a child, or this process where none is named, the limit on core files that tundra was started with. Makes system
/// calls alone, so that a forked child may call it.
pub fn restore_core(child: Option<Pid>) {
    let Some(before) = CORE_BEFORE.get() else {
        return;
    };
    let limit = Rlimit {
        current: *before,
        maximum: rustix::process::getrlimit(Resource::Core).maximum,
    };
    // A child without core files still runs.
    let _ = rustix::process::prlimit(child, Resource::Core, limit);
}
