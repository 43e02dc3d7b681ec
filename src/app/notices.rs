//! Tells users of agents that need them: the front end, and a command of theirs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast, watch};
use tracing::{info, warn};

use crate::config::Settings;
use crate::domain::agent::{AgentNotice, AgentNotices, AgentState};
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::terminal::TerminalInfo;
use crate::pane::Pool;
use crate::push::{Message, Push};
use crate::runtime::once::run_once;
use crate::runtime::tasks::Tasks;

/// Notices that a front end may be behind; it reads at once, and what it misses is on its screen all the same.
const NOTICES: usize = 64;
/// Characters of a notice that is pushed.
const LONGEST: usize = 300;
/// How long the user's command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many of them may run at once; further ones are not run.
const AT_ONCE: usize = 8;

/// What a front end has to do with notices; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct NoticeDesk {
    notices: broadcast::Sender<AgentNotice>,
    attended: Arc<watch::Sender<Option<TerminalId>>>,
}

impl NoticeDesk {
    /// Follows all agents from now on.
    pub fn start(
        pool: &Pool,
        settings: watch::Receiver<Arc<Settings>>,
        push: Push,
        tasks: &Tasks,
    ) -> Self {
        let (notices, _) = broadcast::channel(NOTICES);
        let (attended, looks_at) = watch::channel(None);
        let desk = Self {
            notices,
            attended: Arc::new(attended),
        };
        let teller = Teller {
            pool: pool.clone(),
            settings,
            looks_at,
            notices: desk.notices.clone(),
            push,
            tasks: tasks.clone(),
            commands: Arc::new(Semaphore::new(AT_ONCE)),
        };
        tasks.spawn("agent notices", teller.run());
        desk
    }

    /// What is to be told from now on.
    pub fn notices(&self) -> broadcast::Receiver<AgentNotice> {
        self.notices.subscribe()
    }

    /// Where a front end says which pane its user looks at.
    pub fn attended(&self) -> Arc<watch::Sender<Option<TerminalId>>> {
        Arc::clone(&self.attended)
    }
}

struct Teller {
    pool: Pool,
    settings: watch::Receiver<Arc<Settings>>,
    looks_at: watch::Receiver<Option<TerminalId>>,
    notices: broadcast::Sender<AgentNotice>,
    push: Push,
    tasks: Tasks,
    commands: Arc<Semaphore>,
}

impl Teller {
    async fn run(self) {
        let mut events = self.pool.events();
        let mut agents = AgentNotices::default();
        let ending = self.tasks.ending();
        tokio::pin!(ending);
        for info in self.pool.list() {
            self.see(&mut agents, &info);
        }
        loop {
            let due = agents.due();
            tokio::select! {
                event = events.recv() => match event {
                    Ok(TerminalEvent::Exited { id, .. }) => agents.forget(id),
                    Ok(TerminalEvent::Opened { id, .. } | TerminalEvent::Changed { id }) => {
                        if let Some(pane) = self.pool.get(id) {
                            self.see(&mut agents, &pane.info());
                        }
                    }
                    Ok(
                        TerminalEvent::Bell { .. }
                        | TerminalEvent::Notification { .. }
                        | TerminalEvent::Clipboard { .. }
                        | TerminalEvent::EmulatorReset { .. },
                    ) => {}
                    Err(RecvError::Lagged(_)) => {
                        for info in self.pool.list() {
                            self.see(&mut agents, &info);
                        }
                    }
                    Err(RecvError::Closed) => return,
                },
                () = until(due) => self.tell_due(&mut agents),
                () = &mut ending => return,
            }
        }
    }

    fn see(&self, agents: &mut AgentNotices, info: &TerminalInfo) {
        if info.exit.is_some() {
            agents.forget(info.id);
            return;
        }
        let state = info.agent.as_ref().map(|agent| agent.state);
        let settings = Arc::clone(&self.settings.borrow());
        agents.see(info.id, state, &settings.notify.policy, Instant::now());
    }

    fn tell_due(&self, agents: &mut AgentNotices) {
        let settings = Arc::clone(&self.settings.borrow());
        let attended = *self.looks_at.borrow();
        let policy = &settings.notify.policy;
        let due = agents.take(policy, Instant::now(), |id| attended == Some(id));
        for notice in due {
            let Some(pane) = self.pool.get(notice.id) else {
                continue;
            };
            info!(id = %notice.id, state = notice.state.name(), "an agent needs its user");
            // No front end is no fault.
            let _ = self.notices.send(notice);
            self.push.tell(&pushed(notice, &pane.info()));
            if !settings.notify.command.is_empty() {
                self.run_command(settings.notify.command.clone(), notice, pane.info());
            }
        }
    }

    fn run_command(&self, command: Vec<String>, notice: AgentNotice, info: TerminalInfo) {
        let Ok(permit) = Arc::clone(&self.commands).try_acquire_owned() else {
            warn!("the notify command was not run: too many of it run already");
            return;
        };
        let ending = self.tasks.ending();
        self.tasks.spawn("notify command", async move {
            let id = notice.id.to_string();
            let agent = info.agent.as_ref();
            let kind = agent.map_or("", |agent| agent.kind.as_str());
            let message = agent.and_then(|agent| agent.message.as_deref());
            let env = [
                ("TUNDRA_TERMINAL_ID", id.as_str()),
                ("TUNDRA_NAME", &info.name),
                ("TUNDRA_AGENT", kind),
                ("TUNDRA_STATE", notice.state.name()),
                ("TUNDRA_MESSAGE", message.unwrap_or_default()),
            ];
            let env = env.map(|(name, value)| (name, value.replace('\0', "")));
            let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
            let ran = tokio::select! {
                ran = run_once(&command, &env, PATIENCE) => ran,
                () = ending => return,
            };
            match ran {
                Ok(status) if status.success() => {}
                Ok(status) => warn!(%status, "the notify command failed"),
                Err(error) => warn!(%error, "the notify command was not run to its end"),
            }
            drop(permit);
        });
    }
}

/// What a browser shows while no page of it is open.
fn pushed(notice: AgentNotice, info: &TerminalInfo) -> Message {
    let agent = info.agent.as_ref();
    let told = agent.and_then(|agent| agent.message.as_deref());
    let words = match (notice.state, told) {
        (AgentState::Waiting, _) => "waits for you".to_owned(),
        (AgentState::Done, _) => "is done".to_owned(),
        (AgentState::Quota, _) => "is out of quota".to_owned(),
        (AgentState::Failed, Some(message)) => format!("failed: {message}"),
        (
            state @ (AgentState::Failed
            | AgentState::Working
            | AgentState::Idle
            | AgentState::Unknown),
            _,
        ) => {
            format!("is {}", state.name())
        }
    };
    let text: String = format!("{} {words}", info.name)
        .chars()
        .take(LONGEST)
        .collect();
    let id = notice.id.to_string();
    Message {
        topic: id.replace('-', ""),
        body: serde_json::json!({"id": id, "text": text})
            .to_string()
            .into_bytes(),
        is_urgent: notice.state == AgentState::Waiting,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
