//! What is known of logins' plans, kept over a restart: `state/plans.json`.
//!
//! Names of logins in it are keyed hashes, and the key stands beside them: neither a login nor a token can be found from
//! the file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::warn;
use uuid::Uuid;

use crate::domain::login::{KeptPlan, LoginId};
use crate::domain::plan::{UsedUp, Window};
use crate::domain::profile::ProfileName;
use crate::gateway::Gateway;
use crate::runtime::private;
use crate::runtime::tasks::Tasks;

/// How long changes of plans are gathered before they are written.
const PLANS_DEBOUNCE: Duration = Duration::from_millis(500);
/// A larger file is not one of ours.
const MAX_BYTES: u64 = 1 << 20;

/// Why plans could not be kept.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct KeepError {
    path: PathBuf,
    source: io::Error,
}

/// The file, and the secret that names logins in it.
#[derive(Debug)]
pub struct PlanFile {
    path: PathBuf,
    secret: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct FileShape {
    secret: String,
    plans: Vec<PlanShape>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PlanShape {
    login: String,
    profile: String,
    windows: Vec<WindowShape>,
    used_up: Vec<UsedUpShape>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WindowShape {
    name: String,
    used: f64,
    resets_at: Option<Timestamp>,
    status: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct UsedUpShape {
    until: Timestamp,
    family: Option<String>,
}

impl PlanFile {
    /// Reads what an earlier run kept; a file that cannot be read is as if there were none.
    pub fn open(path: PathBuf) -> (Self, Vec<KeptPlan>) {
        let shape = read(&path).unwrap_or_default();
        let secret = if shape.secret.is_empty() {
            format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
        } else {
            shape.secret
        };
        let plans = shape.plans.into_iter().filter_map(plan).collect();
        (Self { path, secret }, plans)
    }

    pub fn secret(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// Writes what there is now, through a rename, 0600. Blocks.
    ///
    /// # Errors
    ///
    /// Where the file cannot be written; the one before it stays.
    pub fn write(&self, plans: &[KeptPlan]) -> Result<(), KeepError> {
        let shape = FileShape {
            secret: self.secret.clone(),
            plans: plans.iter().map(PlanShape::from).collect(),
        };
        let written = serde_json::to_vec(&shape).map_err(io::Error::from);
        written
            .and_then(|text| private::replace(&self.path, &text))
            .map_err(|source| KeepError {
                path: self.path.clone(),
                source,
            })
    }
}

/// Writes what is known of plans whenever it has changed, and once more at the end.
pub(super) async fn keep_plans(file: PlanFile, gateway: Gateway, tasks: Tasks) {
    let file = Arc::new(file);
    let mut changed = gateway.router().watch_plans();
    let mut written = *changed.borrow();
    let ending = tasks.ending();
    tokio::pin!(ending);
    loop {
        let ends = tokio::select! {
            () = &mut ending => true,
            changed = async {
                let changed = changed.changed().await;
                tokio::time::sleep(PLANS_DEBOUNCE).await;
                changed
            } => changed.is_err(),
        };
        let revision = *changed.borrow_and_update();
        if revision != written {
            let (file, plans) = (Arc::clone(&file), gateway.router().kept_plans());
            match tokio::task::spawn_blocking(move || file.write(&plans)).await {
                Ok(Ok(())) => written = revision,
                Ok(Err(error)) => warn!(%error, "what is left of plans could not be kept"),
                Err(error) => warn!(%error, "what is left of plans could not be kept"),
            }
        }
        if ends {
            return;
        }
    }
}

fn read(path: &Path) -> Option<FileShape> {
    let facts = fs::symlink_metadata(path).ok()?;
    if !facts.is_file() || facts.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

impl From<&KeptPlan> for PlanShape {
    fn from(plan: &KeptPlan) -> Self {
        Self {
            login: Uuid::from_bytes(*plan.login.hash()).simple().to_string(),
            profile: plan.profile.to_string(),
            windows: plan
                .windows
                .iter()
                .map(|window| WindowShape {
                    name: window.name.clone(),
                    used: window.used,
                    resets_at: window.resets_at,
                    status: window.status.clone(),
                })
                .collect(),
            used_up: plan
                .used_up
                .iter()
                .map(|used_up| UsedUpShape {
                    until: used_up.until,
                    family: used_up.family.clone(),
                })
                .collect(),
        }
    }
}

fn plan(shape: PlanShape) -> Option<KeptPlan> {
    let login = Uuid::try_parse(&shape.login).ok()?;
    let windows = shape.windows.into_iter().map(|window| Window {
        name: window.name,
        used: window.used,
        resets_at: window.resets_at,
        status: window.status,
    });
    let used_up = shape.used_up.into_iter().map(|used_up| UsedUp {
        until: used_up.until,
        family: used_up.family,
    });
    Some(KeptPlan {
        login: LoginId::from_hash(login.into_bytes()),
        profile: ProfileName::from(shape.profile.as_str()),
        windows: windows.collect(),
        used_up: used_up.collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn plans_come_back_with_the_secret_that_names_them() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let path = folder.join("plans.json");
        let (file, none) = PlanFile::open(path.clone());
        assert_eq!(none, []);
        let reset = Timestamp::from_second(1_800_000_000).unwrap();
        let plans = [KeptPlan {
            login: LoginId::from_hash([7; 16]),
            profile: ProfileName::from("claude-login"),
            windows: vec![Window {
                name: "5h".to_owned(),
                used: 0.73,
                resets_at: Some(reset),
                status: None,
            }],
            used_up: vec![UsedUp {
                until: reset,
                family: Some("opus".to_owned()),
            }],
        }];
        file.write(&plans).unwrap();
        file.write(&plans).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (again, kept) = PlanFile::open(path.clone());
        assert_eq!(kept, plans);
        assert_eq!(again.secret(), file.secret());
        fs::write(&path, "no json").unwrap();
        let (fresh, none) = PlanFile::open(path);
        assert_eq!(none, []);
        assert_ne!(fresh.secret(), file.secret());
    }
}
