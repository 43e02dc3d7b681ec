//! Files of this user alone: opened without following a link that somebody laid, and never readable by others.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

const MODE: u32 = 0o600;

/// What a private file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Written at its end.
    Append,
    /// Read and written anywhere; its content stays.
    Update,
}

/// Opens a private file, and makes it where there is none. One that is open to others is closed to them.
///
/// # Errors
/// `ELOOP` where a link stands in its place, [`io::ErrorKind::PermissionDenied`] where it belongs to another user, and
/// what the file system says. A pipe in its place does not make the caller wait.
pub fn open(path: &Path, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match access {
        Access::Append => options.append(true),
        Access::Update => options.read(true).write(true),
    };
    let file = options
        .create(true)
        .truncate(false)
        .mode(MODE)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    Ok(file)
}

/// Puts a private file in the place of another, whole or not at all, and on the disk. What it is written to first is made
/// anew, so that nothing that was laid there is written through.
///
/// # Errors
/// What the file system says; the file is as it was then.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_by(path, content, File::sync_all)
}

/// The same without waiting for the disk, which takes milliseconds: for what is made anew where a power cut broke it.
///
/// # Errors
/// What the file system says; the file is as it was then.
pub fn replace_soon(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_by(path, content, |_| Ok(()))
}

fn replace_by(
    path: &Path,
    content: &[u8],
    settle: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let draft = draft_of(path);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&draft)?;
    let written = file.write_all(content).and_then(|()| settle(&file));
    written
        .and_then(|()| fs::rename(&draft, path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })
}

fn draft_of(path: &Path) -> PathBuf {
    let mut draft: OsString = path.as_os_str().to_owned();
    draft.push(".new");
    draft.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_in_a_private_files_place_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let (victim, trap) = (folder.join("victim"), folder.join("log"));
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, &trap).unwrap();
        for access in [Access::Append, Access::Update] {
            assert!(open(&trap, access).is_err());
        }
        // Neither where it is written to first, nor in its own place.
        symlink(&victim, folder.join("token.new")).unwrap();
        replace(&folder.join("token"), b"secret").unwrap();
        replace(&trap, b"secret").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        assert_eq!(fs::read_to_string(folder.join("token")).unwrap(), "secret");
        assert_eq!(fs::metadata(&trap).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_private_file_is_closed_to_others_and_a_pipe_holds_nobody_up() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let path = folder.join("file");
        fs::write(&path, "text").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        open(&path, Access::Append).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(open(folder, Access::Append).is_err());
    }
}
