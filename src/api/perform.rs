//! What each operation does.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::info;

use super::agents::agents;
use super::error::ApiError;
use super::operation::{BudgetChange, Condition, Operation, Target};
use super::pattern;
use super::reading;
use super::services::Services;
use super::shapes::{
    self, AdapterShape, BudgetShape, ChangeShape, CommitShape, DoneShape, FrontShape, GatewayShape,
    GlimpseShape, LogFilterShape, ProviderShape, RequestShape, ScreenShape, ShippedShape,
    StatusShape, StoreShape, TerminalShape, UsageShape,
};
use super::typing::type_parts;
use crate::domain::budget::Budget;
use crate::domain::code::Code;
use crate::domain::id::TerminalId;
use crate::domain::profile::ProfileName;
use crate::domain::route::{By, CommandError};
use crate::domain::size::Size;
use crate::domain::terminal::{self, Status, TerminalInfo, TerminalSpec};
use crate::pane::{PaneError, PaneHandle, WaitFor};
use crate::providers::SteerError;

/// A wait of no time still looks once, which takes a round trip to the pane.
const ONE_LOOK: Duration = Duration::from_millis(200);

/// What an operation answers; written as JSON it is the bare shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// It is done, and there is nothing to tell.
    Done(()),
    Terminals(Vec<TerminalShape>),
    Terminal(Box<TerminalShape>),
    Screen(ScreenShape),
    Glimpse(GlimpseShape),
    Status(Box<StatusShape>),
    Url(String),
    Providers(Vec<ProviderShape>),
    Requests(Vec<RequestShape>),
    Agents(Vec<AdapterShape>),
    Budget(Option<BudgetShape>),
    Steered(DoneShape),
    LogFilter(LogFilterShape),
    Usage(UsageShape),
    Events(Vec<serde_json::Value>),
    Store(Box<StoreShape>),
    Shipped(ShippedShape),
    Commits(Vec<CommitShape>),
    Changes(Vec<ChangeShape>),
    Waited(WaitOutcome),
}

/// How a wait came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitOutcome {
    Holds,
    TimedOut,
    /// The terminal ended, so that it will never hold.
    Ended,
}

/// Carries an operation out for whoever asked.
///
/// Given up in the middle, a kill and a restart go on by themselves and a wait is over; see
/// [`Operation::may_be_given_up`] for the others.
///
/// # Errors
/// [`ApiError`] with the code and the words of the room that refused; nothing was done then.
#[expect(clippy::too_many_lines, reason = "an arm for each operation")]
pub async fn perform(
    services: &Services,
    operation: Operation,
    by: By,
) -> Result<Answer, ApiError> {
    Ok(match operation {
        Operation::List => {
            let terminals = services.pool.list();
            let shape = |info| shape_of(services, info);
            Answer::Terminals(terminals.iter().map(shape).collect())
        }
        Operation::Show(target) => {
            let pane = find(services, &target)?;
            Answer::Terminal(Box::new(shape_of(services, &pane.info())))
        }
        Operation::Open(spec) => {
            let pane = open(services, spec).await?;
            info!(id = %pane.id(), by = by.as_str(), "terminal opened");
            Answer::Terminal(Box::new(shape_of(services, &pane.info())))
        }
        Operation::Type { target, parts } => {
            let pane = find(services, &target)?;
            type_parts(&services.turns, &pane, parts).await?;
            Answer::Done(())
        }
        Operation::Capture {
            target,
            scrollback,
            style,
        } => {
            let pane = find(services, &target)?;
            let capture = pane.capture(scrollback).await?;
            let id = pane.id().to_string();
            Answer::Screen(ScreenShape::new(id, &capture, scrollback, style))
        }
        Operation::Glimpse(target) => {
            let glimpse = find(services, &target)?.glimpse().await?;
            Answer::Glimpse(glimpse.into())
        }
        Operation::Resize { target, size } => {
            resize(services, &target, size).await?;
            Answer::Done(())
        }
        Operation::Rename { target, name } => {
            rename(services, &target, &name).await?;
            Answer::Done(())
        }
        Operation::Kill(target) => {
            let pane = find(services, &target)?;
            info!(id = %pane.id(), by = by.as_str(), "terminal ended on request");
            pane.kill();
            pane.wait_session_gone().await;
            Answer::Done(())
        }
        Operation::Wait {
            target,
            until,
            limit,
        } => Answer::Waited(wait(services, &target, until, limit).await?),
        Operation::Status => {
            services.store.settled().await;
            Answer::Status(Box::new(status(services)))
        }
        Operation::Url(target) => Answer::Url(url(services, target.as_ref())?),
        Operation::Providers => Answer::Providers(shapes::providers(&services.providers.status())),
        Operation::Requests(name) => Answer::Requests(requests(services, name)?),
        Operation::Agents => Answer::Agents(look_up_agents(services).await?),
        Operation::Budget { target, change } => {
            let pane = find(services, &target)?;
            if let Some(change) = change {
                set_budget(services, &pane, change);
                info!(id = %pane.id(), by = by.as_str(), "budget changed");
            }
            let account = services.providers.gateway().router().account(pane.id());
            Answer::Budget(BudgetShape::of(&account))
        }
        Operation::Steer(command) => {
            let done = services.providers.command(command, by).await?;
            Answer::Steered(DoneShape::from(&done))
        }
        Operation::Usage { since, by } => Answer::Usage(reading::usage(services, since, by).await?),
        Operation::History(filter) => Answer::Events(reading::history(services, filter).await?),
        Operation::Detach => {
            if let Some(front) = services.front() {
                front.detach().await;
            }
            Answer::Done(())
        }
        Operation::Stop { force } => {
            stop(services, force, by).await?;
            Answer::Done(())
        }
        Operation::LogFilter(filter) => {
            Answer::LogFilter(log_filter(services, filter.as_deref(), by)?)
        }
        Operation::Upgrade { program } => return Err(upgrade(services, program, by).await),
        Operation::Store => {
            services.store.settled().await;
            Answer::Store(Box::new(StoreShape::from(&services.store.status())))
        }
        Operation::StoreShip => Answer::Shipped(ship(services, by).await?),
        Operation::StoreLog { most } => {
            let commits = services.store.log(most).await?;
            Answer::Commits(commits.iter().map(CommitShape::from).collect())
        }
        Operation::StoreDiff { from, to } => {
            let changes = services.store.diff(from, to).await?;
            Answer::Changes(changes.iter().map(ChangeShape::from).collect())
        }
    })
}

/// Why the instance was not upgraded: one that was answers from the new program.
async fn upgrade(services: &Services, program: PathBuf, by: By) -> ApiError {
    info!(program = %program.display(), by = by.as_str(), "an upgrade is asked for");
    let why = match services.upgrades() {
        Some(upgrades) => upgrades.ask(program).await,
        None => "this instance cannot be upgraded".to_owned(),
    };
    ApiError::new(Code::NotUpgraded, why)
}

async fn ship(services: &Services, by: By) -> Result<ShippedShape, ApiError> {
    let shipped = services.store.ship().await?;
    let (hash, rows) = (&shipped.hash, shipped.rows);
    info!(hash, rows, by = by.as_str(), "shipped to dolt");
    Ok(ShippedShape::from(&shipped))
}

async fn look_up_agents(services: &Services) -> Result<Vec<AdapterShape>, ApiError> {
    let (adapters, shell) = services.pool.agents();
    let offers = services.providers.offers();
    let looked = tokio::task::spawn_blocking(move || agents(&adapters, &shell, offers)).await;
    looked.map_err(|error| {
        let why = format!("the agents were not looked up: {error}");
        ApiError::new(Code::Internal, why)
    })
}

/// Names told of programs that still run; a longer list is cut.
const NAMED: usize = 8;

async fn stop(services: &Services, force: bool, by: By) -> Result<(), ApiError> {
    let terminals = services.pool.list();
    let running: Vec<&str> = terminals
        .iter()
        .filter(|terminal| terminal.status != Status::Dead)
        .map(|terminal| terminal.name.as_str())
        .collect();
    if !force && !running.is_empty() {
        let named = running.get(..NAMED).unwrap_or(&running).join(", ");
        let more = match running.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (verb, them) = match running.len() {
            1 => ("runs", "it"),
            _ => ("run", "them"),
        };
        let message = format!("{named}{more} still {verb}: `tundra stop --force` ends {them} too");
        return Err(ApiError::new(Code::Busy, message));
    }
    let Some(front) = services.front() else {
        return Err(ApiError::new(
            Code::Unavailable,
            "this instance cannot be stopped yet",
        ));
    };
    info!(force, by = by.as_str(), "stopping on request");
    front.stop().await;
    Ok(())
}

fn requests(services: &Services, name: ProfileName) -> Result<Vec<RequestShape>, ApiError> {
    let status = services.providers.status();
    if status.profile(&name).is_none() {
        return Err(SteerError::from(CommandError::NotFound(name)).into());
    }
    let requests = services.providers.requests(&name);
    Ok(shapes::requests(&status, &requests))
}

fn shape_of(services: &Services, info: &TerminalInfo) -> TerminalShape {
    let account = services.providers.gateway().router().account(info.id);
    TerminalShape::new(info, &account)
}

fn set_budget(services: &Services, pane: &PaneHandle, change: BudgetChange) {
    let router = services.providers.gateway().router();
    router.change_budget(pane.id(), |budget| match change {
        BudgetChange::Set(limits) => limits.or(budget),
        BudgetChange::Off => Budget::default(),
    });
}

/// The instance in one look.
#[must_use]
pub fn status(services: &Services) -> StatusShape {
    let facts = &services.facts;
    let providers = services.providers.status();
    StatusShape {
        version: facts.version.clone(),
        pid: facts.pid,
        started_at: facts.started_at,
        pool: services.pool.gauge().into(),
        remote: services.listener().and_then(|listener| listener.shape()),
        gateway: GatewayShape::of(&providers),
        front: services
            .front()
            .map_or_else(FrontShape::default, super::services::Front::shape),
        store: StoreShape::from(&services.store.status()),
        providers: shapes::providers(&providers),
        control_socket: facts.control_socket.to_string_lossy().into_owned(),
        log_file: facts.log_file.to_string_lossy().into_owned(),
        config_file: facts.config_file.to_string_lossy().into_owned(),
    }
}

/// The terminal that is meant, living or dead.
///
/// # Errors
/// [`PaneError::NotFound`], or [`PaneError::Ambiguous`] where what a user said fits several.
pub fn find(services: &Services, target: &Target) -> Result<PaneHandle, PaneError> {
    match target {
        Target::Id(id) => services
            .pool
            .get(*id)
            .ok_or_else(|| PaneError::NotFound(id.to_string())),
        Target::Called(text) => services.pool.find(text),
    }
}

fn living(services: &Services, target: &Target) -> Result<PaneHandle, PaneError> {
    let pane = find(services, target)?;
    match pane.info().status {
        Status::Active | Status::Disconnected => Ok(pane),
        Status::Dead => Err(PaneError::Dead(pane.id())),
    }
}

async fn open(services: &Services, spec: TerminalSpec) -> Result<PaneHandle, ApiError> {
    let Some(name) = spec.name.as_deref() else {
        return Ok(services.pool.open(spec).await?);
    };
    let _naming = services.naming.lock().await;
    check_free(services, name, None)?;
    Ok(services.pool.open(spec).await?)
}

async fn rename(services: &Services, target: &Target, name: &str) -> Result<(), ApiError> {
    let _naming = services.naming.lock().await;
    let pane = find(services, target)?;
    check_free(services, name, Some(pane.id()))?;
    pane.rename(name);
    Ok(())
}

/// Whether a terminal may be called so: a name stands for one living terminal.
fn check_free(services: &Services, name: &str, except: Option<TerminalId>) -> Result<(), ApiError> {
    terminal::check_name(name)?;
    let terminals = services.pool.list();
    let holder = terminals.iter().find(|other| {
        other.status != Status::Dead && other.name == name && Some(other.id) != except
    });
    match holder {
        None => Ok(()),
        Some(holder) => Err(ApiError::bad_request(format!(
            "the name {name:?} is taken by terminal {}: choose another, or rename that one",
            holder.id
        ))),
    }
}

/// Comes back only once the size is in force, so that a capture or a list after it cannot show the old one.
async fn resize(services: &Services, target: &Target, size: Size) -> Result<(), PaneError> {
    let pane = living(services, target)?;
    pane.resize(size);
    pane.settled().await;
    Ok(())
}

async fn wait(
    services: &Services,
    target: &Target,
    until: Condition,
    limit: Duration,
) -> Result<WaitOutcome, ApiError> {
    let pane = find(services, target)?;
    let what = match until {
        Condition::Text(text) => WaitFor::Text(
            pattern::compile(&text).map_err(|error| ApiError::bad_request(error.to_string()))?,
        ),
        Condition::Exit => WaitFor::Exit,
        Condition::Agent(state) => WaitFor::State(state),
        Condition::Status(status) => WaitFor::Status(status),
    };
    Ok(match timeout(limit.max(ONE_LOOK), pane.wait(what)).await {
        Ok(true) => WaitOutcome::Holds,
        Ok(false) => WaitOutcome::Ended,
        Err(_) => WaitOutcome::TimedOut,
    })
}

fn log_filter(
    services: &Services,
    filter: Option<&str>,
    by: By,
) -> Result<LogFilterShape, ApiError> {
    let Some(log) = services.log() else {
        return Err(ApiError::new(
            Code::Unavailable,
            "this instance keeps no log",
        ));
    };
    if let Some(filter) = filter {
        log.set_filter(filter, by).map_err(ApiError::bad_request)?;
    }
    Ok(LogFilterShape {
        filter: log.filter(),
    })
}

fn url(services: &Services, target: Option<&Target>) -> Result<String, ApiError> {
    let terminal = match target {
        Some(target) => Some(living(services, target)?.id()),
        None => None,
    };
    match services.listener() {
        Some(listener) => listener.url(terminal),
        None => Err(ApiError::new(
            Code::Unavailable,
            "this instance has no listener for browsers",
        )),
    }
}
