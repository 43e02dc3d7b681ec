//! A worktree of git's for an agent that is to have a branch for itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Finds or makes the worktree of a branch, beside the repository that `folder` is in: `REPOSITORY-BRANCH`. A branch that
/// there is not is made. Blocks for as long as git does.
///
/// # Errors
/// git's own words, where it is no repository or git refuses.
pub(super) fn of(folder: &Path, branch: &str) -> Result<PathBuf, String> {
    if branch.starts_with('-') {
        return Err(format!("{branch:?} is no name of a branch"));
    }
    let root = git(folder, &["rev-parse", "--show-toplevel"])?;
    let root = PathBuf::from(root);
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let path = root.with_file_name(format!("{name}-{}", branch.replace('/', "-")));
    if path.join(".git").exists() {
        // Two branches may ask for the same folder, and whoever was there may have gone to another one.
        let present = git(&path, &["branch", "--show-current"])?;
        if present == branch {
            return Ok(path);
        }
        let path = path.display();
        return Err(match present.as_str() {
            "" => format!("{path} is there already, on no branch"),
            present => format!("{path} is there already, on branch {present}"),
        });
    }
    let target = path.to_string_lossy();
    let known = format!("refs/heads/{branch}");
    let is_known = git(&root, &["show-ref", "--verify", "--quiet", &known]).is_ok();
    if is_known {
        git(&root, &["worktree", "add", "--quiet", &target, branch])?;
    } else {
        git(
            &root,
            &["worktree", "add", "--quiet", "-b", branch, &target],
        )?;
    }
    Ok(path)
}

fn git(folder: &Path, args: &[&str]) -> Result<String, String> {
    let run = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(args)
        .stdin(Stdio::null())
        .env("GIT_TERMINAL_PROMPT", "0")
        .output();
    let output = run.map_err(|error| format!("git: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    let last = said.lines().last().unwrap_or("git failed");
    Err(last.strip_prefix("fatal: ").unwrap_or(last).to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_branch_gets_a_worktree_beside_its_repository_once() {
        if git(Path::new("/"), &["--version"]).is_err() {
            return;
        }
        let root = std::env::temp_dir().join(format!("tundra-worktree-{}", std::process::id()));
        let repo = root.join("repo");
        fs::create_dir_all(&repo).unwrap();
        assert!(
            of(&root, "feature/x")
                .unwrap_err()
                .contains("not a git repository")
        );
        git(&repo, &["init", "--quiet"]).unwrap();
        let commit = [
            "-c",
            "user.name=n",
            "-c",
            "user.email=e",
            "commit",
            "--allow-empty",
            "-qm",
            "x",
        ];
        git(&repo, &commit).unwrap();
        let path = of(&repo, "feature/x").unwrap();
        assert_eq!(path.file_name().unwrap(), "repo-feature-x");
        assert_eq!(
            git(&path, &["branch", "--show-current"]).unwrap(),
            "feature/x"
        );
        assert_eq!(of(&repo, "feature/x").unwrap(), path);
        assert!(of(&repo, "-x").is_err());
        let taken = of(&repo, "feature-x").unwrap_err();
        assert!(
            taken.ends_with("repo-feature-x is there already, on branch feature/x"),
            "{taken}"
        );
        git(&repo, &["branch", "known"]).unwrap();
        assert!(of(&repo, "known").is_ok());
        fs::remove_dir_all(&root).unwrap();
    }
}
