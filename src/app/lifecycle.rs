//! One instance from its lock to its end: what is there before its rooms and after them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::error::AppError;
use super::groundwork::{Foundation, Groundwork, Origin};
use super::instance::Instance;
use super::rooms::{PATIENCE, Rooms};
use super::secret_variables;
use super::store as keeping;
use super::upgrade::{Departed, Replacement, Resumed};
use super::{Ending, Launch};
use crate::control;
use crate::runtime::handover;
use crate::runtime::limits;
use crate::runtime::secrets;
use crate::runtime::signals::Terminations;
use crate::runtime::tasks::Tasks;
use crate::runtime::user_namespace;
use crate::telemetry::{self, TraceExporter};
use crate::tui::Life;

/// Workers of the runtime: they carry sockets and timers, while each pane has a thread of its own.
const WORKERS: usize = 2;

/// How an instance came to its end.
enum Outcome {
    Ended(Ending),
    /// Another program is to go on.
    Replaced(Box<Replacement>),
}

/// Makes an instance, lets `mode` run on it, and ends it in order however `mode` came out. Where another program is asked for
/// meanwhile, that one goes on and this does not come back.
pub(super) fn run<M, F>(
    launch: Launch,
    mut origin: Origin,
    life: Life,
    mode: M,
) -> Result<Ending, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    prepare_folders(&launch, origin.resumed.as_deref())?;
    let mut resumed = origin.resumed.as_deref_mut();
    let kept_lock = resumed
        .as_deref_mut()
        .and_then(|resumed| control::Instance::resume(&resumed.rooms.lock, &mut resumed.incoming));
    let lock = match kept_lock {
        Some(lock) => lock,
        None => control::Instance::acquire(&launch.paths).inspect_err(handover::go_back)?,
    };
    let kept = resumed.map(|resumed| std::mem::take(&mut resumed.rooms.app));
    let kept = kept.unwrap_or_default();
    if kept.core_files.is_known {
        limits::resume_core(kept.core_files.limit);
    }
    user_namespace::prepare();
    limits::close_memory();
    secrets::take_up(kept.secrets, secret_variables::of(&launch.settings));
    let telemetry = telemetry::start(&launch.settings.logging, launch.paths.log_file())
        .ok()
        .map(Arc::new);
    let open_files = kept.open_files.or_else(limits::raise_open_files);
    let foundation = Foundation {
        telemetry: telemetry.clone(),
        open_files,
        life,
        started_at: kept.started_at,
        attach: kept.attach,
        ended_by: kept.ended_by,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("runtime")
        .enable_all()
        .build()
        .inspect_err(handover::go_back)
        .map_err(AppError::Runtime)?;
    let outcome = runtime.block_on(Box::pin(run_with_store(
        launch, foundation, origin, &lock, mode,
    )));
    // Whatever still hangs on a blocking call must not hold up the way out.
    runtime.shutdown_timeout(Duration::from_millis(200));
    // What was logged last is written here.
    drop(telemetry);
    match outcome? {
        Outcome::Ended(ending) => {
            drop(lock);
            Ok(ending)
        }
        Outcome::Replaced(replacement) => Err(replacement.execute().into()),
    }
}

/// Makes the folders ready. Where no other program could go on, what is wrong with them is no reason to end.
fn prepare_folders(launch: &Launch, resumed: Option<&Resumed>) -> Result<(), AppError> {
    match launch.paths.prepare() {
        Err(error) if resumed.is_some_and(Resumed::is_last_resort) => {
            warn!(%error, "the folders are not as they should be");
            Ok(())
        }
        prepared => Ok(prepared.inspect_err(handover::go_back)?),
    }
}

/// The store is there before all other rooms, which tell it what happens, and ends after them.
async fn run_with_store<M, F>(
    launch: Launch,
    foundation: Foundation,
    mut origin: Origin,
    lock: &control::Instance,
    mode: M,
) -> Result<Outcome, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let tasks = Tasks::default();
    let kept = origin
        .resumed
        .as_deref_mut()
        .map(|resumed| std::mem::take(&mut resumed.rooms.store));
    let started_at = if kept.is_some() {
        foundation.started_at
    } else {
        Timestamp::now()
    };
    let (store, mut running) =
        keeping::start(&launch, started_at, kept, &tasks).inspect_err(handover::go_back)?;
    let endpoint = launch.settings.logging.otlp_endpoint.clone();
    let traces = TraceExporter::start(endpoint, &launch.version, &tasks);
    let (open_files, life) = (foundation.open_files, foundation.life);
    let groundwork = Groundwork {
        foundation: Foundation {
            started_at,
            ..foundation
        },
        store,
        traces: traces.clone(),
    };
    let outcome = run_within(&launch, groundwork, origin, mode).await;
    let ended = match outcome {
        Ok(Course::Ended(ending)) => Ok(ending),
        Err(error) => Err(error),
        Ok(Course::Departed(mut departed)) => {
            running.take_copy().await;
            // From here on the panes stand still.
            departed.keep_panes().await;
            departed.rooms.store = running.keep().await;
            departed.rooms.app.started_at = started_at;
            departed.rooms.app.open_files = open_files;
            departed.rooms.app.ends_with_last_pane = life == Life::EndsWithLastPane;
            departed.rooms.app.config_text = Some(launch.config_text.as_str().to_owned());
            departed.rooms.lock = lock.keep(&mut departed.out).map_err(AppError::Runtime)?;
            let replacement = departed.seal(&launch)?;
            return Ok(Outcome::Replaced(Box::new(replacement)));
        }
    };
    traces.end().await;
    running.end(keeping::end_of(&ended)).await;
    tasks.shutdown(PATIENCE).await;
    ended.map(Outcome::Ended)
}

/// What became of the rooms.
enum Course {
    Ended(Ending),
    /// All but the panes and the store are stopped, for another program to go on.
    Departed(Box<Departed>),
}

/// Makes the rooms and lets `mode` run in them, until it ends or another program is to go on.
async fn run_within<M, F>(
    launch: &Launch,
    groundwork: Groundwork,
    origin: Origin,
    mode: M,
) -> Result<Course, AppError>
where
    M: FnOnce(Instance) -> F,
    F: Future<Output = Result<Ending, AppError>>,
{
    let terminations = Terminations::catch()
        .inspect_err(handover::go_back)
        .map_err(AppError::Runtime)?;
    let tasks = Tasks::default();
    let rooms = match Rooms::open(launch, groundwork, origin, terminations, &tasks) {
        Ok(rooms) => rooms,
        Err(error) => {
            tasks.shutdown(PATIENCE).await;
            return Err(error);
        }
    };
    let Rooms {
        instance,
        departing,
        closing,
    } = rooms;
    tokio::select! {
        outcome = mode(instance) => {
            closing.end().await;
            outcome.map(Course::Ended)
        }
        mut departed = departing.depart(launch) => {
            closing.leave(&mut departed).await;
            Ok(Course::Departed(Box::new(departed)))
        }
    }
}
