//! Becomes the next program.

use std::convert::Infallible;
use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use rustix::io::FdFlags;

use super::error::HandoverError;
use super::outgoing::Sealed;

/// The program that goes on in this one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    pub program: PathBuf,
    /// What it is called with, its own name first; the number of the memory file's descriptor comes last.
    pub arguments: Vec<OsString>,
}

impl Sealed {
    /// Executes the successor in this process. What it is handed stays open, and nothing else does. Comes back only
    /// where the kernel refuses, with nothing given up; another one may be tried then.
    ///
    /// # Errors
    /// [`HandoverError::Exec`] with the kernel's reason.
    pub fn execute(&self, successor: &Successor) -> Result<Infallible, HandoverError> {
        let mut arguments = successor.arguments.iter();
        let mut command = Command::new(&successor.program);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command
            .args(arguments)
            .arg(self.memory.as_raw_fd().to_string());
        self.set_flags(FdFlags::empty());
        let source = command.exec();
        self.set_flags(FdFlags::CLOEXEC);
        Err(HandoverError::Exec {
            program: successor.program.clone(),
            source,
        })
    }

    fn set_flags(&self, flags: FdFlags) {
        let all: &[OwnedFd] = &self.descriptors;
        for descriptor in all.iter().map(AsFd::as_fd).chain([self.memory.as_fd()]) {
            // It cannot fail for a descriptor that is open.
            let _ = rustix::io::fcntl_setfd(descriptor, flags);
        }
    }
}
