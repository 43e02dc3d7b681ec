//! Programs: where the search path has them, and whether they could be started.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use crate::domain::code::Code;

/// Where programs are searched for by those who were given no search path.
const FALLBACK_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// As much of a script as Linux looks at for its interpreter, in bytes.
const SCRIPT_HEAD: u64 = 256;

/// Why a program could not be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    #[error("the command is empty")]
    Unnamed,
    #[error("{0}: is a folder")]
    Folder(String),
    #[error("{0}: not executable")]
    NotExecutable(String),
    #[error("{0}: not found")]
    NotFound(String),
    #[error("{0}: found in PATH but not executable")]
    NotExecutableInPath(String),
    #[error("{0}: not found in PATH")]
    NotInPath(String),
    // Escaped, since a script that was written with CRLF asks for an interpreter whose name ends in one.
    #[error("{program}: its interpreter {}: {why}", .interpreter.display().to_string().escape_debug())]
    Interpreter {
        program: String,
        interpreter: PathBuf,
        why: &'static str,
    },
}

impl From<&ProgramError> for Code {
    fn from(_: &ProgramError) -> Self {
        Self::SpawnFailed
    }
}

/// The search path of an environment, given the value of its `PATH`.
#[must_use]
pub fn search_path(path: Option<OsString>) -> OsString {
    path.unwrap_or_else(|| OsString::from(FALLBACK_PATH))
}

/// Finds a program by tundra's own search path.
///
/// # Errors
/// [`ProgramError`], as [`find`] gives it.
pub fn find_here(name: &str) -> Result<PathBuf, ProgramError> {
    let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    find(name, &search_path(std::env::var_os("PATH")), &cwd)
}

/// Finds a program as `execvp` would from a working directory, and says which step fails instead of a bare error number.
///
/// # Errors
/// [`ProgramError`] where nothing of that name can be executed.
pub fn find(name: &str, search: &OsStr, cwd: &Path) -> Result<PathBuf, ProgramError> {
    if name.is_empty() {
        return Err(ProgramError::Unnamed);
    }
    if name.contains('/') {
        let path = cwd.join(name);
        return match check(&path) {
            Candidate::Runs => Ok(path),
            Candidate::Folder => Err(ProgramError::Folder(name.to_owned())),
            Candidate::NotExecutable => Err(ProgramError::NotExecutable(name.to_owned())),
            Candidate::Missing => Err(ProgramError::NotFound(name.to_owned())),
        };
    }
    let mut is_there = false;
    for folder in search.as_bytes().split(|byte| *byte == b':') {
        // An empty entry of PATH is the working directory.
        let path = cwd.join(OsStr::from_bytes(folder)).join(name);
        match check(&path) {
            Candidate::Runs => return Ok(path),
            Candidate::NotExecutable => is_there = true,
            Candidate::Folder | Candidate::Missing => {}
        }
    }
    Err(if is_there {
        ProgramError::NotExecutableInPath(name.to_owned())
    } else {
        ProgramError::NotInPath(name.to_owned())
    })
}

/// Looks at the interpreter of a script, whose absence `execve` would tell as if the script itself were missing.
///
/// # Errors
/// [`ProgramError::Interpreter`] where it cannot be executed.
pub fn check_interpreter(name: &str, path: &Path, cwd: &Path) -> Result<(), ProgramError> {
    let Some(interpreter) = interpreter(path) else {
        return Ok(());
    };
    let why = match check(&cwd.join(&interpreter)) {
        Candidate::Runs => return Ok(()),
        Candidate::Folder => "is a folder",
        Candidate::NotExecutable => "not executable",
        Candidate::Missing => "not found",
    };
    Err(ProgramError::Interpreter {
        program: name.to_owned(),
        interpreter,
        why,
    })
}

/// What stands after `#!`; None for what is no script, or cannot be read.
fn interpreter(path: &Path) -> Option<PathBuf> {
    // A pipe would have to be waited for.
    let file = std::fs::metadata(path)
        .ok()
        .filter(std::fs::Metadata::is_file)
        .and_then(|_| File::open(path).ok())?;
    let mut head = Vec::new();
    file.take(SCRIPT_HEAD).read_to_end(&mut head).ok()?;
    let line = head
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    let word = line
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .find(|word| !word.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(word)))
}

enum Candidate {
    Runs,
    Folder,
    NotExecutable,
    Missing,
}

fn check(path: &Path) -> Candidate {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Candidate::Folder,
        Ok(_) if rustix::fs::access(path, Access::EXEC_OK).is_ok() => Candidate::Runs,
        Ok(_) => Candidate::NotExecutable,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Candidate::NotExecutable,
        Err(_) => Candidate::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_path_or_named_with_what_is_wrong() {
        let found = |name: &str, search: &str| {
            let found = find(name, OsStr::new(search), Path::new("/"));
            found.map_or_else(|error| error.to_string(), |path| path.display().to_string())
        };
        assert_eq!(found("sh", "/no/such:/bin"), "/bin/sh");
        assert_eq!(found("bin/sh", ""), "/bin/sh");
        assert_eq!(found("", "/bin"), "the command is empty");
        assert_eq!(found("sh", "/no/such"), "sh: not found in PATH");
        assert_eq!(
            found("passwd", "/etc"),
            "passwd: found in PATH but not executable"
        );
        assert_eq!(found("/etc/passwd", ""), "/etc/passwd: not executable");
        assert_eq!(found("/etc", ""), "/etc: is a folder");
        assert_eq!(found("/no/such", ""), "/no/such: not found");
    }
}
