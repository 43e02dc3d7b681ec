//! Where tundra keeps its files.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use rustix::fs::Access;

use super::private_group;
use crate::domain::code::Code;

/// What is private to the user: data, state, logs and the socket.
const PRIVATE_DIR: u32 = 0o700;

/// The folders of one home. Two instances of tundra never share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Holds the configuration and nothing else.
    pub config_dir: PathBuf,
    /// What is to be kept: the journal, a managed Dolt.
    pub data: PathBuf,
    /// What belongs to this machine: tokens, keys, known remotes, plans.
    pub state: PathBuf,
    /// tundra's log, and what local servers write.
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
    #[error("the folder {} cannot be used: {source}: take another with --home DIR", .path.display())]
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

    /// The configuration where no other is named.
    pub fn config_file(&self) -> PathBuf {
        self.config_dir.join("config.toml")
    }

    /// The log that is being written.
    pub fn log_file(&self) -> PathBuf {
        self.logs.join("tundra.log")
    }

    /// The store's database.
    pub fn journal(&self) -> PathBuf {
        self.data.join("tundra.db")
    }

    /// The local socket that commands reach the instance on.
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

    /// What is brought back after an end that nobody asked for.
    #[must_use]
    pub fn session(&self) -> PathBuf {
        self.state.join("session.json")
    }

    /// Held for as long as an instance runs; tells its process id.
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("tundra.lock")
    }

    /// The folders that an instance needs.
    #[must_use]
    pub fn folders(&self) -> [&Path; 5] {
        [
            &self.config_dir,
            &self.data,
            &self.logs,
            &self.state,
            &self.run,
        ]
    }

    /// Looks whether [`Paths::prepare`] would do, and makes nothing.
    ///
    /// # Errors
    /// What it would refuse.
    pub fn check(&self) -> Result<(), PathsError> {
        self.check_owners()?;
        for dir in self.folders() {
            check_own(dir)?;
        }
        for dir in [&self.state, &self.run] {
            check_room(dir)?;
        }
        Ok(())
    }

    /// Makes the folders that an instance needs, closed to everyone else, and refuses those that are not its user's own, and
    /// those above them that let another user put a different one in their place.
    ///
    /// Only those it cannot do without (state and run) must be there: a read-only configuration or a full log disk is no
    /// reason not to start.
    ///
    /// # Errors
    /// [`PathsError::Foreign`] and [`PathsError::Writable`] for a folder, the home included, that somebody else made or may
    /// change, [`PathsError::Folder`] for one that cannot be made.
    pub fn prepare(&self) -> Result<(), PathsError> {
        self.check_owners()?;
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

    /// Refuses a home, or a folder above any of tundra's, that somebody else made or may change.
    fn check_owners(&self) -> Result<(), PathsError> {
        if let Some(home) = &self.home {
            check_own(home)?;
        }
        for dir in self.folders() {
            check_above(dir)?;
        }
        Ok(())
    }
}

/// Refuses a folder that cannot be written to, or made where it is not there.
fn check_room(dir: &Path) -> Result<(), PathsError> {
    let there = dir.ancestors().find(|path| path.exists()).unwrap_or(dir);
    if !there.is_dir() {
        return Err(PathsError::Folder {
            path: dir.to_owned(),
            source: io::ErrorKind::NotADirectory.into(),
        });
    }
    let access = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(there, access).map_err(|error| PathsError::Folder {
        path: dir.to_owned(),
        source: error.into(),
    })
}

/// Refuses a folder that another user made, or that others may write to; one that is not there yet is fine. A group that is
/// its user's alone is nobody else: where each has one, folders are made with its right to write.
fn check_own(dir: &Path) -> Result<(), PathsError> {
    let Ok(target) = fs::metadata(dir) else {
        return Ok(());
    };
    let me = rustix::process::geteuid().as_raw();
    let foreign = |owner| PathsError::Foreign {
        path: dir.to_owned(),
        owner,
        me,
    };
    if target.uid() != me {
        return Err(foreign(target.uid()));
    }
    // A link is as good as whoever laid it.
    if let Some(owner) = link_owner(dir).filter(|owner| !is_trusted(*owner)) {
        return Err(foreign(owner));
    }
    if others_may_write(&target) {
        return Err(writable(dir, &target));
    }
    Ok(())
}

/// Whether somebody else than its user may change a file or folder: everybody, or a group that is not his alone.
#[must_use]
pub fn others_may_write(target: &fs::Metadata) -> bool {
    let mode = target.mode();
    mode & 0o002 != 0 || (mode & 0o020 != 0 && private_group::holds_others(target.gid()))
}

/// Refuses a folder if another user could put a different one in its place: in each folder above it, as it is written and
/// as links lead there, nobody else may rename anything. What sshd asks of the folders above `authorized_keys` (its
/// `StrictModes`), but for the group that is the user's own.
fn check_above(dir: &Path) -> Result<(), PathsError> {
    let mut existing = dir.ancestors().skip(1);
    let real = existing.find_map(|above| fs::canonicalize(above).ok());
    let written = dir.ancestors().skip(1);
    for above in written.chain(real.iter().flat_map(|real| real.ancestors())) {
        check_passage(above)?;
    }
    Ok(())
}

fn check_passage(dir: &Path) -> Result<(), PathsError> {
    let Ok(target) = fs::metadata(dir) else {
        return Ok(());
    };
    let owners = [Some(target.uid()), link_owner(dir)];
    if let Some(owner) = owners
        .into_iter()
        .flatten()
        .find(|owner| !is_trusted(*owner))
    {
        return Err(PathsError::Foreign {
            path: dir.to_owned(),
            owner,
            me: rustix::process::geteuid().as_raw(),
        });
    }
    // Whoever is in root's group administers the machine.
    let by_root = target.gid() == 0 && target.mode() & 0o002 == 0;
    // Where the sticky bit is set, as in /tmp, only the owner of what lies there renames it.
    let sticky = target.mode() & 0o1000 != 0;
    if others_may_write(&target) && !by_root && !sticky {
        return Err(writable(dir, &target));
    }
    Ok(())
}

/// Who laid the link that stands in this place, if one does.
fn link_owner(path: &Path) -> Option<u32> {
    let link = fs::symlink_metadata(path).ok()?;
    link.is_symlink().then(|| link.uid())
}

/// Whether a user may decide where tundra's folders are: its own one and root. In a user namespace the system's folders
/// belong to the number that stands for whoever is not known there.
fn is_trusted(owner: u32) -> bool {
    const NOBODY: u32 = 65534;
    [0, NOBODY, rustix::process::geteuid().as_raw()].contains(&owner)
}

fn writable(dir: &Path, target: &fs::Metadata) -> PathsError {
    PathsError::Writable {
        path: dir.to_owned(),
        owner: target.uid(),
        mode: target.mode() & 0o7777,
    }
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
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path();
        fs::create_dir_all(base.join("run")).unwrap();
        fs::set_permissions(base.join("run"), Permissions::from_mode(0o755)).unwrap();
        let paths = Paths::find(Some(base)).unwrap();
        paths.prepare().unwrap();
        for dir in [&paths.data, &paths.state, &paths.logs, &paths.run] {
            let mode = fs::metadata(dir).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o700, "{}", dir.display());
        }
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn refusal(paths: &Paths) -> String {
        paths.prepare().unwrap_err().to_string()
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_refused_with_its_path_and_owner() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path();
        let paths = Paths::find(Some(base)).unwrap();
        let me = rustix::process::geteuid().as_raw();
        for name in ["", "config", "data", "state", "logs", "run"] {
            let dir = if name.is_empty() {
                base.to_owned()
            } else {
                base.join(name)
            };
            fs::create_dir_all(&dir).unwrap();
            for mode in [0o777, 0o770, 0o702] {
                set_mode(&dir, mode);
                let told = format!(
                    "the folder {} (of user {me}) can be written to by others",
                    dir.display()
                );
                let error = refusal(&paths);
                assert!(error.starts_with(&told), "{error}");
            }
            set_mode(&dir, 0o700);
        }
        paths.prepare().unwrap();
    }

    #[test]
    fn a_home_that_others_could_put_another_in_the_place_of_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path();
        let between = base.join("between");
        fs::create_dir_all(&between).unwrap();
        let paths = Paths::find(Some(&between.join("home"))).unwrap();
        for (mode, fine) in [
            (0o777, false),
            (0o703, false),
            (0o1777, true),
            (0o755, true),
        ] {
            set_mode(base, mode);
            assert_eq!(paths.prepare().is_ok(), fine, "{mode:o}");
        }
        // By way of a link, the folder that it leads through counts too.
        let link = base.join("link");
        std::os::unix::fs::symlink(&between, &link).unwrap();
        let by_link = Paths::find(Some(&link.join("home"))).unwrap();
        by_link.prepare().unwrap();
        set_mode(&between, 0o777);
        assert!(refusal(&by_link).contains("can be written to by others (mode 777)"));
    }
}
