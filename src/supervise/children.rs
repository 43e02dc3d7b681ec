//! Several children, each by its name.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use super::kept::{KeptChild, KeptChildren};
use super::log;
use super::process::Process;
use super::spec::{Overdue, Spec};
use super::status::{ProcessEvent, ProcessStatus, RestartError};
use super::supervisor::Child;
use crate::runtime::handover;
use crate::runtime::tasks::Tasks;

/// How many events a slow listener may be behind.
const EVENTS: usize = 64;
/// How long a restart waits for a child; models are large and disks slow.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// The longest that tundra's end waits for a child that may be killed.
const MOST_GRACE: Duration = Duration::from_secs(2);

/// Talks to the children of one keeper; cheap to clone.
#[derive(Clone, Debug)]
pub struct Children {
    shared: Arc<ChildrenInner>,
}

#[derive(Debug)]
struct ChildrenInner {
    children: Mutex<HashMap<String, Child>>,
    /// What another program in this process has left running and nobody has asked for yet.
    left: Mutex<Vec<KeptChild>>,
    tasks: Tasks,
    changed: watch::Sender<u64>,
    events: broadcast::Sender<ProcessEvent>,
}

impl Children {
    /// None run yet.
    #[must_use]
    pub fn new(tasks: Tasks) -> Self {
        Self::resume(tasks, KeptChildren::default())
    }

    /// Those run that another program in this process has left, until [`Children::keep`] says which of them are wanted.
    #[must_use]
    pub fn resume(tasks: Tasks, left: KeptChildren) -> Self {
        Self {
            shared: Arc::new(ChildrenInner {
                children: Mutex::default(),
                left: Mutex::new(left.0),
                tasks,
                changed: watch::Sender::new(0),
                events: broadcast::Sender::new(EVENTS),
            }),
        }
    }

    /// Runs exactly these: starts what is new, ends what is gone, and leaves alone what stays as it is.
    pub fn keep(&self, specs: Vec<Spec>) {
        let mut children = self.children();
        let mut left = self.take_left();
        let mut kept = HashMap::new();
        for mut spec in specs {
            if spec.overdue == Overdue::Kill {
                spec.grace = spec.grace.min(MOST_GRACE);
            }
            let child = match children.remove(&spec.name) {
                Some(child) if child.spec.is_same_child(&spec) => child,
                _ => {
                    let shared = &self.shared;
                    let (changed, events) = (shared.changed.clone(), shared.events.clone());
                    let same =
                        |left: &KeptChild| left.name == spec.name && left.command == spec.command;
                    let own = left.iter().position(same).map(|own| left.remove(own));
                    Child::new(spec, changed, events, &shared.tasks, own)
                }
            };
            kept.insert(child.spec.name.clone(), child);
        }
        *children = kept;
        for unwanted in left {
            self.end(&unwanted);
        }
    }

    /// Leaves every child running for another program in this process; nobody looks after them from then on.
    pub async fn leave(&self) -> KeptChildren {
        let children: Vec<Child> = self.children().drain().map(|(_, child)| child).collect();
        // Those that nobody has asked for since go on to the next.
        let mut kept = self.take_left();
        for child in children {
            kept.extend(child.leave().await);
        }
        KeptChildren(kept)
    }

    /// Ends what another program has left running and nobody wants any more.
    fn end(&self, left: &KeptChild) {
        let overdue = if left.never_killed {
            Overdue::Leave
        } else {
            Overdue::Kill
        };
        let process = left.pid.map(|pid| Process::adopt(pid, overdue));
        if let Some(Ok(process)) = process {
            let task = async move {
                handover::arrived().await;
                process.stop(MOST_GRACE).await;
            };
            self.shared.tasks.spawn("unwanted child", task);
        }
    }

    /// How the child of that name stands; `None` where none is kept.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ProcessStatus> {
        self.children().get(name).map(Child::status)
    }

    /// Stops a child, starts it and waits until it is ready; does nothing where there is none of that name. Cancelled, it
    /// goes on without anybody who waits.
    ///
    /// # Errors
    /// [`RestartError`] where it ended, was stopped meanwhile, or is not ready after two minutes.
    pub async fn restart(&self, name: &str) -> Result<(), RestartError> {
        let (restarted, log) = match self.children().get(name) {
            Some(child) => (child.restart(), child.spec.log.clone()),
            None => return Ok(()),
        };
        let why = match timeout(READY_WITHIN, restarted).await {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(why))) => why,
            Ok(Err(_)) => "was stopped meanwhile".to_owned(),
            Err(_) => format!("takes no requests after {}s", READY_WITHIN.as_secs()),
        };
        Err(RestartError {
            name: name.to_owned(),
            why,
            log,
        })
    }

    /// The file that a child writes to, and its last lines; `None` where there is no child of that name.
    #[must_use]
    pub fn log(&self, name: &str, lines: usize) -> Option<(PathBuf, Vec<String>)> {
        let path = self.children().get(name)?.spec.log.clone();
        let tail = log::tail(&path, lines).unwrap_or_default();
        Some((path, tail))
    }

    /// What becomes of children from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ProcessEvent> {
        self.shared.events.subscribe()
    }

    /// Changes with every change of a status.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    fn take_left(&self) -> Vec<KeptChild> {
        let left = self.shared.left.lock();
        std::mem::take(&mut *left.unwrap_or_else(PoisonError::into_inner))
    }

    fn children(&self) -> MutexGuard<'_, HashMap<String, Child>> {
        self.shared
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
