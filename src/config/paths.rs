//! Where tundra keeps its files.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::domain::code::Code;

/// What is private to the user: data, state, logs and the socket.
const PRIVATE_DIR: u32 = 0o700;

/// The folders of one home. Two instances of tundra never share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub config_dir: PathBuf,
    pub data: PathBuf,
    pub state: PathBuf,
    pub logs: PathBuf,
    /// Holds the control socket.
    pub run: PathBuf,
    /// The one folder that everything is in, where `--home` or `TUNDRA_HOME` names one.
    pub home: Option<PathBuf>,
}

/// Why there is no place for tundra's files.
#[derive(Debug, thiserror::Error)]
pub enum PathsError {
    #[error(
        "there is no home directory: set HOME, or say where to keep tundra's files with --home DIR"
    )]
    NoHome,
    #[error("the folder {} cannot be used: {source}", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// Whoever owns it could say what tundra runs and where it writes.
    #[error("the folder {} belongs to user {owner}, not to you (user {me}): take another with --home DIR", .path.display())]
    Foreign { path: PathBuf, owner: u32, me: u32 },
    #[error(
        "the folder {} (of user {owner}) can be written to by others (mode {mode:o}): look at what is in it, then chmod go-w it",
        .path.display()
    )]
    Writable {
        path: PathBuf,
        owner: u32,
        mode: u32,
    },
}

impl From<&PathsError> for Code {
    fn from(error: &PathsError) -> Self {
        match error {
            // What the caller has to say, and has not.
            PathsError::NoHome => Self::Usage,
            PathsError::Folder { .. }
            | PathsError::Foreign { .. }
            | PathsError::Writable { .. } => Self::Paths,
        }
    }
}

impl Paths {
    /// The layout in one folder, or the user's own places as XDG gives them.
    ///
    /// # Errors
    /// [`PathsError`] where neither a folder is named nor the user has one, or the named one has no absolute path.
    pub fn find(home: Option<&Path>) -> Result<Self, PathsError> {
        if let Some(home) = home {
            let home = std::path::absolute(home).map_err(|source| PathsError::Folder {
                path: home.to_owned(),
                source,
            })?;
            return Ok(Self {
                config_dir: home.join("config"),
                data: home.join("data"),
                state: home.join("state"),
                logs: home.join("logs"),
                run: home.join("run"),
                home: Some(home),
            });
        }
        let dirs = ProjectDirs::from("", "", "tundra").ok_or(PathsError::NoHome)?;
        let data = dirs.data_local_dir().to_owned();
        let state = dirs
            .state_dir()
            .map_or_else(|| data.join("state"), Path::to_owned);
        // A runtime folder that is named and not there (after `su`, in a container) is no place for a socket.
        let runtime_base = |dir: &&Path| dir.parent().is_some_and(Path::is_dir);
        let run = dirs
            .runtime_dir()
            .filter(runtime_base)
            .map_or_else(|| state.join("run"), Path::to_owned);
        Ok(Self {
            config_dir: dirs.config_dir().to_owned(),
            data,
            logs: state.join("logs"),
            run,
            state,
            home: None,
        })
    }

    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    pub fn log_file(&self) -> PathBuf {
        self.logs.join("tundra.log")
    }

    /// The store's database.
    pub fn journal(&self) -> PathBuf {
        self.data.join("tundra.db")
    }

    pub fn control_socket(&self) -> PathBuf {
        self.run.join("control.sock")
    }

    /// Where viewers on this machine attach.
    pub fn attach_socket(&self) -> PathBuf {
        self.run.join("attach.sock")
    }

    /// The key of programs outside, 0600.
    pub fn gateway_key(&self) -> PathBuf {
        self.state.join("gateway.key")
    }

    /// What is known of logins' plans.
    #[must_use]
    pub fn plans(&self) -> PathBuf {
        self.state.join("plans.json")
    }

    /// Held for as long as an instance runs; tells its process id.
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("tundra.lock")
    }

    /// Makes the folders that an instance needs, closed to everyone else, and refuses those that are not its user's own.
    ///
    /// Only those it cannot do without (state and run) must be there: a read-only configuration or a full log disk is no
    /// reason not to start.
    ///
    /// # Errors
    /// [`PathsError::Foreign`] and [`PathsError::Writable`] for a folder, the home included, that somebody else made or may
    /// change, [`PathsError::Folder`] for one that cannot be made.
    pub fn prepare(&self) -> Result<(), PathsError> {
        if let Some(home) = &self.home {
            check_own(home)?;
        }
        for dir in [&self.config_dir, &self.data, &self.logs] {
            check_own(dir)?;
            let _ = private_dir(dir);
            check_own(dir)?;
        }
        for dir in [&self.state, &self.run] {
            check_own(dir)?;
            private_dir(dir).map_err(|source| PathsError::Folder {
                path: dir.clone(),
                source,
            })?;
            check_own(dir)?;
        }
        Ok(())
    }
}

/// Refuses a folder that another user made, or that others may write to; one that is not there yet is fine. A group that
/// is the user's own is none of the others.
fn check_own(dir: &Path) -> Result<(), PathsError> {
    let me = rustix::process::geteuid().as_raw();
    let Ok(target) = fs::metadata(dir) else {
        return Ok(());
    };
    // A link is as good as whoever laid it.
    let link = fs::symlink_metadata(dir).ok();
    let laid_by = link
        .filter(fs::Metadata::is_symlink)
        .map_or(me, |link| link.uid());
    if target.uid() != me || (laid_by != me && laid_by != 0) {
        let owner = if target.uid() == me {
            laid_by
        } else {
            target.uid()
        };
        return Err(PathsError::Foreign {
            path: dir.to_owned(),
            owner,
            me,
        });
    }
    let own_group = rustix::process::getegid().as_raw() == target.gid();
    let others = if own_group { 0o002 } else { 0o022 };
    if target.mode() & others != 0 {
        return Err(PathsError::Writable {
            path: dir.to_owned(),
            owner: target.uid(),
            mode: target.mode() & 0o7777,
        });
    }
    Ok(())
}

/// Makes a folder, and those above it, that only its owner can enter; closes one that is there and too open.
fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIR)
        .create(dir)?;
    if fs::metadata(dir)?.mode() & 0o077 != 0 {
        fs::set_permissions(dir, Permissions::from_mode(PRIVATE_DIR))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_home_holds_everything() {
        let paths = Paths::find(Some(Path::new("/tmp/h"))).unwrap();
        assert_eq!(paths.config_file(), Path::new("/tmp/h/config/config.toml"));
        assert_eq!(paths.log_file(), Path::new("/tmp/h/logs/tundra.log"));
        assert_eq!(paths.control_socket(), Path::new("/tmp/h/run/control.sock"));
        assert_eq!(paths.data, Path::new("/tmp/h/data"));
        assert_eq!(paths.state, Path::new("/tmp/h/state"));
    }

    #[test]
    fn a_relative_home_is_made_absolute() {
        let paths = Paths::find(Some(Path::new("h"))).unwrap();
        assert!(paths.state.is_absolute());
        assert!(paths.state.ends_with("h/state"));
    }

    #[test]
    fn folders_are_closed_to_others() {
        let base = std::env::temp_dir().join(format!("tundra-paths-{}", std::process::id()));
        fs::create_dir_all(base.join("run")).unwrap();
        fs::set_permissions(base.join("run"), Permissions::from_mode(0o755)).unwrap();
        let paths = Paths::find(Some(&base)).unwrap();
        paths.prepare().unwrap();
        for dir in [&paths.data, &paths.state, &paths.logs, &paths.run] {
            let mode = fs::metadata(dir).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", dir.display());
        }
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused_with_its_path_and_owner() {
        let base = std::env::temp_dir().join(format!("tundra-open-{}", std::process::id()));
        let paths = Paths::find(Some(&base)).unwrap();
        for name in ["", "config", "data", "state", "logs", "run"] {
            fs::create_dir_all(base.join(name)).unwrap();
            fs::set_permissions(base.join(name), Permissions::from_mode(0o777)).unwrap();
            let error = paths.prepare().unwrap_err().to_string();
            let me = rustix::process::geteuid().as_raw();
            let told = format!("{} (of user {me})", base.join(name).display());
            assert!(error.contains(&told.replace("/ (", " (")), "{error}");
            fs::set_permissions(base.join(name), Permissions::from_mode(0o700)).unwrap();
        }
        paths.prepare().unwrap();
        fs::remove_dir_all(&base).unwrap();
    }
}
