//! Which branch of a git repository a folder is on, without asking git: two small reads of files.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Folders that are looked into upwards; a deeper nesting is not of people's making.
const MOST_LEVELS: usize = 64;
/// As much of a commit's hash as tells it from others.
const HASH: usize = 8;
/// More bytes than git writes into either file.
const LONGEST: u64 = 8 * 1024;

/// The branch, or the beginning of the commit's hash where there is none; None outside of a repository.
pub(super) fn of(folder: &Path) -> Option<String> {
    let mut folders = folder.ancestors().take(MOST_LEVELS);
    let repository = folders.find_map(|folder| repository(&folder.join(".git")))?;
    let head = read(&repository.join("HEAD"))?;
    let head = head.trim();
    match head.strip_prefix("ref: ") {
        Some(name) => Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()),
        None => Some(head.chars().take(HASH).collect()),
    }
}

/// The folder that holds `HEAD`; a worktree has a file that names it (gitrepository-layout(5)).
fn repository(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let text = read(path)?;
    let named = text.strip_prefix("gitdir: ")?.trim();
    Some(path.parent()?.join(named))
}

/// The text of a small file. A program tells its folder itself, so what lies there may be a pipe or have no end.
fn read(path: &Path) -> Option<String> {
    let mut options = OpenOptions::new();
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = options.open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn a_branch_is_found_from_below_in_a_worktree_and_where_there_is_none() {
        let root = std::env::temp_dir().join(format!("tundra-branch-{}", std::process::id()));
        let (repo, tree) = (root.join("repo"), root.join("tree"));
        fs::create_dir_all(repo.join(".git/worktrees/tree")).unwrap();
        fs::create_dir_all(repo.join("src/deep")).unwrap();
        fs::create_dir_all(&tree).unwrap();
        let head = |path: &str, text: &str| fs::write(repo.join(path), text).unwrap();
        head(".git/HEAD", "ref: refs/heads/feature/x\n");
        head(".git/worktrees/tree/HEAD", "ref: refs/heads/other\n");
        fs::write(tree.join(".git"), "gitdir: ../repo/.git/worktrees/tree\n").unwrap();
        assert_eq!(of(&repo.join("src/deep")).as_deref(), Some("feature/x"));
        assert_eq!(of(&tree).as_deref(), Some("other"));
        head(".git/HEAD", "0123456789abcdef\n");
        assert_eq!(of(&repo).as_deref(), Some("01234567"));
        assert_eq!(of(&root), None);
        let odd = root.join("odd");
        fs::create_dir(&odd).unwrap();
        mknodat(CWD, odd.join(".git"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert_eq!(of(&odd), None, "nobody waits for a pipe");
        fs::remove_file(odd.join(".git")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", odd.join(".git")).unwrap();
        assert_eq!(of(&odd), None);
        fs::remove_dir_all(&root).unwrap();
    }
}
