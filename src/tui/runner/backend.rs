//! The other rooms' handles, and what takes a while there: each answer comes back as one message.

use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tracing::debug;

use super::{journal, log, worktree};
use crate::domain::adapter::{Adapter, Adapters, AgentName};
use crate::domain::chord::Chord;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::input::{Input, KeyCode, Mods};
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, RouterCommand};
use crate::domain::terminal::{Status, TerminalInfo, TerminalSpec};
use crate::pane::{Gauge, Glimpse, PaneError, PaneHandle, Pool, Search, capture_text};
use crate::providers::Providers;
use crate::runtime::lend::LentTerminal;
use crate::runtime::programs;
use crate::store::Store;
use crate::tui::address::Addresses;
use crate::tui::checkup::{Checkup, OuterFacts};
use crate::tui::client::{AgentLook, JournalQuery};
use crate::tui::effect::Placement;
use crate::tui::msg::Msg;

/// Lines of a server's output that can be scrolled back to.
const LOG_LINES: usize = 500;
/// Between a line that is typed for the user and its Enter. Codex takes an Enter for a newline that comes within 120 ms of
/// the last character of a burst.
const BEFORE_ENTER: Duration = Duration::from_millis(200);

/// What a front end asks of other rooms. None of it waits.
pub(super) struct Backend {
    pub pool: Pool,
    pub providers: Providers,
    pub store: Store,
    log_file: PathBuf,
    addresses: Arc<dyn Addresses>,
    checkup: Arc<dyn Checkup>,
    /// Answers under way; dropping it gives up on them.
    answers: JoinSet<Msg>,
    /// Gone once the terminal that was asked for last has been opened, or was not.
    last_opened: Option<oneshot::Receiver<()>>,
}

impl Backend {
    pub fn new(
        pool: Pool,
        providers: Providers,
        store: Store,
        log_file: PathBuf,
        addresses: Arc<dyn Addresses>,
        checkup: Arc<dyn Checkup>,
    ) -> Self {
        Self {
            pool,
            providers,
            store,
            log_file,
            addresses,
            checkup,
            answers: JoinSet::new(),
            last_opened: None,
        }
    }

    /// Waits for the next answer; None where none is under way. Cancel-safe.
    pub async fn answer(&mut self) -> Option<Result<Msg, JoinError>> {
        let answer = self.answers.join_next().await?;
        Some(answer.map(|msg| self.as_of_now(msg)))
    }

    /// A terminal may have ended since it was opened, and that been told before anybody knew of it.
    fn as_of_now(&self, msg: Msg) -> Msg {
        match msg {
            Msg::Opened {
                place,
                spec,
                result: Ok(opened),
            } => {
                let pane = self.pool.get(opened.id);
                let now = pane.map(|pane| Box::new(pane.info()));
                Msg::Opened {
                    place,
                    spec,
                    result: Ok(now.unwrap_or(opened)),
                }
            }
            msg => msg,
        }
    }

    /// Opens a terminal once all are opened that were asked for before, so that they are named and listed in that order.
    pub fn open(
        &mut self,
        place: Placement,
        mut spec: Box<TerminalSpec>,
        near: Option<TerminalId>,
    ) {
        spec.cwd = self.folder(spec.cwd.take(), near);
        let pool = self.pool.clone();
        debug!(?place, "opening a terminal");
        let (opening, opened) = oneshot::channel();
        let before = self.last_opened.replace(opened);
        self.answers.spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            let opened = pool.open((*spec).clone()).await;
            drop(opening);
            Msg::Opened {
                place,
                spec,
                result: opened.map(|pane| Box::new(pane.info())),
            }
        });
    }

    /// Opens a terminal in the worktree of a branch, which is made where there is none.
    pub fn open_in_worktree(
        &mut self,
        mut spec: Box<TerminalSpec>,
        branch: String,
        near: Option<TerminalId>,
    ) {
        let folder = self.folder(spec.cwd.take(), near).unwrap_or_default();
        let pool = self.pool.clone();
        self.answers.spawn(async move {
            let found = spawn_blocking(move || worktree::of(&folder, &branch)).await;
            let found = found.unwrap_or_else(|error| Err(error.to_string()));
            let opened = match found {
                Ok(path) => {
                    spec.cwd = Some(path);
                    pool.open((*spec).clone()).await
                }
                Err(why) => Err(PaneError::SpawnFailed(format!("worktree: {why}"))),
            };
            Msg::Opened {
                place: Placement::Tab,
                spec,
                result: opened.map(|pane| Box::new(pane.info())),
            }
        });
    }

    /// The folder that was asked for, seen from where the program in a pane is; that one where none was.
    fn folder(&self, asked: Option<PathBuf>, near: Option<TerminalId>) -> Option<PathBuf> {
        let here = near
            .and_then(|id| self.pool.get(id))
            .map(|pane| pane.working_directory());
        let asked = asked.map(|path| match path.strip_prefix("~") {
            Ok(below) => std::env::home_dir().unwrap_or_default().join(below),
            Err(_) => path,
        });
        match (asked, here) {
            (Some(asked), Some(here)) => Some(here.join(asked)),
            (asked, here) => asked.or(here),
        }
    }

    /// Writes a pane's screen and history into a file of the user's own and opens a terminal with an editor on it, which
    /// takes the file away at its end.
    pub fn edit_history(&mut self, id: TerminalId, mut spec: Box<TerminalSpec>) {
        let pane = self.pool.get(id);
        let pool = self.pool.clone();
        self.answers.spawn(async move {
            let opened = async {
                let pane = pane.ok_or(PaneError::Dead(id))?;
                spec.cwd = Some(pane.working_directory());
                let text = capture_text(&pane.capture(true).await?);
                let written = spawn_blocking(move || history_file(&text)).await;
                let file = written
                    .unwrap_or_else(|error| Err(io::Error::other(error)))
                    .map_err(|error| {
                        PaneError::SpawnFailed(format!("the history's file: {error}"))
                    })?;
                spec.command.push(file.display().to_string());
                let opened = pool.open((*spec).clone()).await;
                if opened.is_err() {
                    let _ = std::fs::remove_file(&file);
                }
                opened
            }
            .await;
            Msg::Opened {
                place: Placement::Tab,
                spec,
                result: opened.map(|pane| Box::new(pane.info())),
            }
        });
    }

    /// Hands input to a pane; the message that says why that could not be.
    pub fn input(&self, id: TerminalId, input: Input) -> Option<Msg> {
        let result = match self.pool.get(id) {
            Some(pane) => pane.try_input_from_front(input),
            None => Err(PaneError::Dead(id)),
        };
        result.err().map(|error| Msg::Refused(id, error))
    }

    /// Does something with a pane, if it is still there.
    pub fn with(&self, id: TerminalId, act: impl FnOnce(&PaneHandle)) {
        if let Some(pane) = self.pool.get(id) {
            act(&pane);
        }
    }

    pub fn rows(&mut self, id: TerminalId, range: Range<u64>) {
        let pane = self.pool.get(id);
        self.answers.spawn(async move {
            let rows = match pane {
                Some(pane) => pane.rows(range).await,
                None => Err(PaneError::Dead(id)),
            };
            Msg::Rows(id, rows)
        });
    }

    pub fn places(&mut self, id: TerminalId, since: u64, places: Vec<(u64, u16)>) {
        let pane = self.pool.get(id);
        self.answers.spawn(async move {
            let now = match pane {
                Some(pane) => pane.places_now(since, places).await,
                None => Err(PaneError::Dead(id)),
            };
            Msg::Places(id, now)
        });
    }

    pub fn search(&mut self, id: TerminalId, number: u64, search: Search) {
        let pane = self.pool.get(id);
        self.answers.spawn(async move {
            let hit = match pane {
                Some(pane) => pane.search(search).await,
                None => Err(PaneError::Dead(id)),
            };
            Msg::Found(id, number, hit)
        });
    }

    pub fn address(&self, id: Option<TerminalId>) -> Msg {
        Msg::Address(id, self.addresses.address(id))
    }

    pub fn examine(&mut self, outer: OuterFacts) {
        let examination = self.checkup.examine(outer);
        self.answers
            .spawn(async move { Msg::Examined(examination.await) });
    }

    pub fn find_agents(&mut self) {
        let (agents, _) = self.pool.agents();
        self.answers
            .spawn_blocking(move || Msg::Agents(installed_agents(&agents)));
    }

    /// Looks at the ends of these panes' screens, and where they are.
    pub fn look_at_agents(&mut self, ids: &[TerminalId]) {
        let panes: Vec<PaneHandle> = ids.iter().filter_map(|id| self.pool.get(*id)).collect();
        self.answers.spawn(async move {
            let mut looks = Vec::new();
            for pane in panes {
                let Glimpse { lines, branch } = pane.glimpse().await.unwrap_or_default();
                let id = pane.id();
                looks.push(AgentLook { id, lines, branch });
            }
            Msg::AgentLooks(looks)
        });
    }

    /// Types a line into a pane, and Enter once it was taken: many programs take an Enter that comes with it for a part of
    /// a paste.
    pub fn answer_agent(&mut self, id: TerminalId, text: String) {
        let pane = self.pool.get(id);
        self.answers.spawn(async move {
            let typed = match pane {
                Some(pane) => type_line(&pane, text).await,
                None => Err(PaneError::Dead(id)),
            };
            match typed {
                Ok(()) => Msg::Tick,
                Err(error) => Msg::Refused(id, error),
            }
        });
    }

    pub fn steer(&mut self, command: RouterCommand) {
        let providers = self.providers.clone();
        self.answers.spawn(async move {
            let result = providers.command(command.clone(), By::Key).await;
            Msg::Steered(command, result)
        });
    }

    pub fn look_for_servers(&mut self) {
        let providers = self.providers.clone();
        self.answers.spawn(async move {
            providers.look_for_guesses().await;
            Msg::Providers(Arc::new(providers.status()), None)
        });
    }

    pub fn server_output(&mut self, name: ProfileName) {
        let providers = self.providers.clone();
        self.answers.spawn_blocking(move || {
            let log = providers.server_log(&name, LOG_LINES);
            Msg::ServerOutput(name, log)
        });
    }

    /// How the store stands. It looks at the disk, too.
    pub fn look_at_store(&mut self) {
        let store = self.store.clone();
        self.answers
            .spawn_blocking(move || Msg::Store(Box::new(store.status())));
    }

    pub fn read_log(&mut self) {
        let log_file = self.log_file.clone();
        self.answers.spawn_blocking(move || {
            let lines = log::read(&log_file).map_err(|error| error.to_string());
            Msg::LogRead(lines)
        });
    }

    pub fn read_journal(&mut self, query: JournalQuery) {
        let store = self.store.clone();
        self.answers.spawn_blocking(move || {
            let contents = journal::read(&store, &query).map_err(|error| error.to_string());
            Msg::Journal {
                number: query.number,
                status: Box::new(store.status()),
                contents,
            }
        });
    }

    /// How the providers stand, with the last requests of one of them. A short lock over memory, and no wait.
    pub fn provider_status(&self, details: Option<ProfileName>) -> Msg {
        let requests = details.map(|name| {
            let requests = self.providers.requests(&name);
            (name, requests)
        });
        Msg::Providers(Arc::new(self.providers.status()), requests)
    }

    /// The program that a pane's keys go to now. Two small reads of `/proc`.
    pub fn foreground_program(&self, id: TerminalId) -> Option<String> {
        self.pool.get(id)?.foreground_program()
    }

    /// The facts of the terminal that an event is about.
    pub fn info_of(&self, event: &TerminalEvent) -> Option<Box<TerminalInfo>> {
        let pane = self.pool.get(subject(event))?;
        Some(Box::new(pane.info()))
    }

    /// The name of the living pane that a terminal is, or whose programs its lender is one of.
    pub fn pane_on(&self, lent: &LentTerminal) -> Option<String> {
        let inside: Option<TerminalId> =
            lent.offer.inside.as_deref().and_then(|id| id.parse().ok());
        let device = rustix::fs::fstat(&lent.input).ok().map(|stat| stat.st_rdev);
        let terminals = self.pool.list().into_iter();
        let mut living = terminals.filter(|terminal| terminal.status != Status::Dead);
        let pane = living.find(|terminal| {
            let pane = self.pool.get(terminal.id);
            Some(terminal.id) == inside
                || pane.is_some_and(|pane| device.is_some_and(|device| pane.is_on(device)))
        });
        pane.map(|terminal| terminal.name)
    }

    pub fn list(&self) -> Vec<TerminalInfo> {
        self.pool.list()
    }

    pub fn gauge(&self) -> Gauge {
        self.pool.gauge()
    }
}

/// Types a line, and Enter once it had time to be taken.
async fn type_line(pane: &PaneHandle, text: String) -> Result<(), PaneError> {
    pane.try_input(Input::Text(text))?;
    tokio::time::sleep(BEFORE_ENTER).await;
    let enter = Chord::new(KeyCode::Enter, Mods::NONE);
    pane.try_input(Input::Key(enter.event()))
}

/// Writes a new file that only this user can read.
fn history_file(text: &str) -> io::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("tundra-history-{}.txt", TerminalId::random()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    Ok(path)
}

/// The terminal that an event is about.
fn subject(event: &TerminalEvent) -> TerminalId {
    match event {
        TerminalEvent::Opened { id, .. }
        | TerminalEvent::Changed { id }
        | TerminalEvent::Exited { id, .. }
        | TerminalEvent::Bell { id }
        | TerminalEvent::Notification { id, .. }
        | TerminalEvent::Clipboard { id, .. }
        | TerminalEvent::EmulatorReset { id } => *id,
    }
}

/// Every agent, and whether its program is in the search path.
fn installed_agents(agents: &Adapters) -> Vec<(AgentName, bool)> {
    let found = |agent: &Adapter| {
        let program = agent.command.first();
        program.is_none_or(|program| programs::find_here(program).is_ok())
    };
    agents
        .iter()
        .map(|agent| (agent.name.clone(), found(agent)))
        .collect()
}
