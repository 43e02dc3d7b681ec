//! What the kernel allows this process.

use rustix::process::{Resource, Rlimit};

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
