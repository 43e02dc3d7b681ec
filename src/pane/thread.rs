//! The whole life of a pane's thread: start the program, run it to its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tracing::info;

use super::actor::{self, Actor};
use super::confine::Confined;
use super::emulator::Emulator;
use super::error::PaneError;
use super::facts::Facts;
use super::handle::PaneHandle;
use super::launch::{self, Defaults};
use super::launch_env::LaunchEnvLease;
use super::mailbox::Mailbox;
use super::observer::Observer;
use super::options::PoolOptions;
use super::output::OutputBuffer;
use super::parts::PaneParts;
use super::pty::Pty;
use super::publisher::Publisher;
use super::registry::{Registry, Slot};
use super::screen_feed::ScreenFeed;
use crate::domain::agent::Tracker;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::terminal::{Status, TerminalInfo, TerminalSpec};

/// A pane's thread needs little; emulation and searches do not recurse.
pub(super) const STACK: usize = 512 * 1024;

/// Starts the program, tells `started` whether it worked, and runs the pane to its end.
pub(super) fn run(
    registry: &Arc<Registry>,
    slot: Slot,
    spec: &TerminalSpec,
    options: &PoolOptions,
    open_files: Option<(u64, u64)>,
    started: oneshot::Sender<Result<PaneHandle, PaneError>>,
) {
    let mut slot = slot;
    let env_lease = LaunchEnvLease::new(registry.launch_envs.clone(), TerminalId::random());
    let (parts, actor) = match start(registry, spec, options, open_files, &env_lease) {
        Ok(started) => started,
        Err(error) => {
            // The place is free again before anybody hears of the failure.
            drop(slot);
            let _ = started.send(Err(error));
            return;
        }
    };
    let pane = PaneHandle::new(parts.clone());
    registry.enter(&mut slot, pane.clone(), spec.name.as_deref());
    let facts = &parts.facts;
    info!(id = %facts.id, pid = facts.pid.as_raw_nonzero(), size = %spec.size, "terminal opened");
    facts.tell(TerminalEvent::Opened {
        id: facts.id,
        owner: spec.owner,
    });
    let _ = started.send(Ok(pane));
    run_to_end(registry, &parts, actor, Some(slot), env_lease);
}

/// Runs a pane whose program runs, to its end or until it is to go on in another program.
pub(super) fn run_to_end(
    registry: &Registry,
    parts: &PaneParts,
    actor: Actor,
    mut slot: Option<Slot>,
    env_lease: LaunchEnvLease,
) {
    match catch_unwind(AssertUnwindSafe(|| actor.run(&mut slot))) {
        Ok(None) => {}
        Ok(Some(frozen)) => {
            // Place and environment are the terminal's for as long as it lives, in whatever program.
            std::mem::forget((slot, env_lease));
            return registry.thread_frozen(parts.facts.id, frozen);
        }
        Err(_) => actor::reap_panicked(parts, &mut slot),
    }
    drop(env_lease);
    parts.facts.set_session_gone();
    registry.thread_ended();
}

fn start(
    registry: &Registry,
    spec: &TerminalSpec,
    options: &PoolOptions,
    open_files: Option<(u64, u64)>,
    env_lease: &LaunchEnvLease,
) -> Result<(PaneParts, Actor), PaneError> {
    let failed = |error: std::io::Error| PaneError::SpawnFailed(error.to_string());
    let id = env_lease.id();
    let launch = launch::prepare(
        id,
        spec,
        &Defaults {
            shell: &options.shell,
            agents: &options.agents,
            env: &options.env,
            open_files,
            confine: options.confine,
            private: &options.private,
            env_lease,
        },
    )?;
    let (mailbox, wakeup) = Mailbox::new(id).map_err(failed)?;
    let pty = Pty::open(spec.size).map_err(failed)?;
    let pid = pty.spawn(&launch.program).map_err(|error| {
        let path = launch.program.path.display();
        PaneError::SpawnFailed(if launch.program.confinement.is_some() {
            format!("{path}: {error} (confined: a namespace of its own may not be allowed here)")
        } else {
            format!("{path}: {error}")
        })
    })?;
    let confined = launch
        .program
        .confinement
        .is_some()
        .then(|| Confined::of_leader(pid));
    let now = Timestamp::now();
    let program = launch.command.first().map_or("", String::as_str);
    let mut info = TerminalInfo {
        id,
        name: spec
            .name
            .clone()
            .unwrap_or_else(|| base_name(program).to_owned()),
        named: spec.name.is_some(),
        cwd: launch.program.cwd,
        pid: pid.as_raw_nonzero().get().unsigned_abs(),
        size: spec.size,
        title: String::new(),
        status: Status::Active,
        owner: spec.owner,
        persistent: spec.persistent,
        viewers: 0,
        taken: false,
        ending: false,
        created_at: now,
        disconnected_since: None,
        exit: None,
        agent: None,
        command: launch.command,
    };
    let tracker = launch
        .agent
        .map(|agent| Tracker::new(agent, launch.traits, Instant::now()));
    info.agent = tracker.as_ref().map(|tracker| tracker.agent().clone());
    info.settle(now);
    let (sender, receiver) = watch::channel(Arc::new(ScreenSnapshot::blank(spec.size)));
    let parts = PaneParts::new(
        Facts::new(info, pid, confined, registry.listeners.clone()),
        mailbox,
        OutputBuffer::new(options.replay_bytes),
        ScreenFeed::new(receiver, Arc::clone(&registry.all_watchers)),
    );
    let _ = parts.facts.spec.set(spec.clone());
    let mut emulator = Emulator::new(spec.size, options.scrollback_lines);
    emulator.set_backdrop(registry.backdrop.clone());
    let publisher = Publisher::new(Arc::clone(&parts.feed), sender);
    let limits = options.limits();
    let agents = options.agents.clone();
    let actor = Actor::new(
        parts.clone(),
        wakeup,
        pty,
        emulator,
        publisher,
        limits,
        Observer::new(tracker, agents),
    );
    Ok((parts, actor))
}

fn base_name(program: &str) -> &str {
    program
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or(program)
}
