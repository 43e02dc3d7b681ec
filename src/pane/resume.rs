//! Terminals on their way from one program to the next: kept by the one, taken up by the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::Pid;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::actor::{Actor, Leftover};
use super::confine::Confined;
use super::emulator::Emulator;
use super::facts::Facts;
use super::final_state::FinalState;
use super::handle::PaneHandle;
use super::kept::{KeptConfined, KeptInfo, KeptLive, KeptPane, KeptPool};
use super::launch_env::LaunchEnvLease;
use super::mailbox::{Mailbox, Wakeup};
use super::observer::Observer;
use super::output::OutputBuffer;
use super::parts::PaneParts;
use super::pty::Pty;
use super::publisher::Publisher;
use super::registry::Registry;
use super::screen_feed::ScreenFeed;
use super::thread::{STACK, run_to_end};
use crate::domain::adapter::Adapters;
use crate::domain::agent::Tracker;
use crate::domain::screen::ScreenSnapshot;
use crate::domain::terminal::{Status, TerminalInfo};
use crate::runtime::handover::{Incoming, Outgoing, since_millis};

/// How long a terminal may take to be started that somebody has just asked for.
const STARTS: Duration = Duration::from_secs(2);
/// How long the ends of terminals are waited for that have begun, beyond the grace that they have.
const ENDS: Duration = Duration::from_secs(1);

/// Stops every pane's thread between two reads, and keeps all there is of every terminal.
///
/// Terminals whose end has begun are given their grace to be over, and killed after it: nothing of them goes over. From
/// then on handles reach nobody, so whoever holds one must have stopped before. Cancelled, some are stopped and some not.
pub(super) async fn keep(registry: &Registry, out: &mut Outgoing) -> KeptPool {
    // What is being started has a child already, or is about to.
    if tokio::time::timeout(STARTS, registry.none_opening())
        .await
        .is_err()
    {
        warn!("a terminal that is being started does not go over");
    }
    wait_for_ends(registry).await;
    let panes = registry.state().panes.clone();
    for pane in &panes {
        pane.parts().mailbox.freeze();
    }
    // One that ends at this very moment still sees its session off.
    let grace = registry.state().options.kill_grace + ENDS;
    if tokio::time::timeout(grace, registry.threads_gone())
        .await
        .is_err()
    {
        for pane in &panes {
            pane.parts().mailbox.kill_now();
        }
        if tokio::time::timeout(ENDS, registry.threads_gone())
            .await
            .is_err()
        {
            error!("some panes' threads did not stop");
        }
    }
    let panes = panes
        .iter()
        .map(|pane| keep_pane(registry, pane, out))
        .collect();
    KeptPool { panes }
}

/// Waits until the ends that have begun are over.
async fn wait_for_ends(registry: &Registry) {
    let (panes, grace) = {
        let state = registry.state();
        (state.panes.clone(), state.options.kill_grace + ENDS)
    };
    let ending = panes.iter().filter(|pane| {
        let facts = &pane.parts().facts;
        let ends = facts.info().ending || facts.ended_at().is_some();
        ends && !facts.is_session_gone()
    });
    let gone = async {
        for pane in ending {
            pane.wait_session_gone().await;
        }
    };
    if tokio::time::timeout(grace, gone).await.is_err() {
        warn!("a terminal that is to end takes its time");
    }
}

fn keep_pane(registry: &Registry, pane: &PaneHandle, out: &mut Outgoing) -> KeptPane {
    let parts = pane.parts();
    let facts = &parts.facts;
    let frozen = registry.state().frozen.remove(&facts.id);
    let confined = facts.confined.as_ref().map(|confined| {
        let (tty, namespace) = confined.parts();
        KeptConfined { tty, namespace }
    });
    let ended = facts.ended_at().and_then(|ended_at| {
        let final_state = parts.final_state();
        final_state.as_ref().map(|end| end.keep(ended_at, out))
    });
    KeptPane {
        info: KeptInfo::from(&*facts.info()),
        spec: facts.spec.get().map(Into::into),
        directory: facts.told_directory().map(Into::into),
        confined,
        writer: pane.keep_attachments(),
        output: parts.output.keep(out),
        live: frozen.map(|frozen| frozen.keep(out)),
        ended,
    }
}

/// Takes up every terminal that was kept, and tells what of it could not be.
pub(super) fn resume(
    registry: &Arc<Registry>,
    kept: &KeptPool,
    incoming: &mut Incoming,
) -> (Vec<PaneHandle>, Vec<String>) {
    let mut panes = Vec::new();
    let mut lost = Vec::new();
    for kept in &kept.panes {
        match resume_pane(registry, kept, incoming, &mut lost) {
            Ok(pane) => panes.push(pane),
            Err(why) => {
                error!(id = kept.info.id, why, "a terminal did not come over");
                lost.push(format!("terminal {} is lost: {why}", kept.info.name));
            }
        }
    }
    (panes, lost)
}

fn resume_pane(
    registry: &Arc<Registry>,
    kept: &KeptPane,
    incoming: &mut Incoming,
    lost: &mut Vec<String>,
) -> Result<PaneHandle, String> {
    let info = kept.info.resume().ok_or("its id is malformed")?;
    let pid = i32::try_from(info.pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or("its pid is malformed")?;
    let (mailbox, wakeup) = Mailbox::new(info.id).map_err(|error| error.to_string())?;
    let (screen, watched) = watch::channel(Arc::new(ScreenSnapshot::blank(info.size)));
    let confined = kept
        .confined
        .as_ref()
        .map(|kept| Confined::resume(pid, kept.tty, kept.namespace));
    let replay_bytes = registry.state().options.replay_bytes;
    let parts = PaneParts::new(
        Facts::new(info.clone(), pid, confined, registry.listeners.clone()),
        mailbox,
        OutputBuffer::resume(&kept.output, replay_bytes, incoming),
        ScreenFeed::new(watched, Arc::clone(&registry.all_watchers)),
    );
    if let Some(spec) = &kept.spec {
        let _ = parts.facts.spec.set(spec.into());
    }
    if let Some(directory) = kept.directory.clone() {
        parts.facts.set_directory(directory.into());
    }
    match &kept.live {
        Some(live) if info.status != Status::Dead => {
            let publisher = Publisher::new(Arc::clone(&parts.feed), screen);
            let running = Running {
                parts,
                wakeup,
                publisher,
                info,
                lost,
            };
            start(registry, kept, live, running, incoming)
        }
        _ => Ok(resume_ended(registry, kept, &parts, incoming)),
    }
}

/// A terminal about to be started again.
struct Running<'l> {
    parts: PaneParts,
    wakeup: Wakeup,
    publisher: Publisher,
    info: TerminalInfo,
    /// What of it could not be taken up.
    lost: &'l mut Vec<String>,
}

/// Lets a living terminal go on, on a thread of its own.
fn start(
    registry: &Arc<Registry>,
    kept: &KeptPane,
    live: &KeptLive,
    running: Running<'_>,
    incoming: &mut Incoming,
) -> Result<PaneHandle, String> {
    let Running {
        parts,
        wakeup,
        publisher,
        info,
        lost,
    } = running;
    let master = live.master.and_then(|master| incoming.descriptor(master));
    let pty = Pty::resume(master.ok_or("its pty is gone")?);
    let options = registry.state().options.clone();
    let mut emulator = Emulator::resume(&live.emulator, incoming).unwrap_or_else(|| {
        warn!(id = %info.id, "a terminal's screen did not come over");
        lost.push(format!("the screen of terminal {} is lost", info.name));
        Emulator::new(info.size, options.scrollback_lines)
    });
    emulator.set_backdrop(registry.backdrop.clone());
    let mut actor = Actor::new(
        parts.clone(),
        wakeup,
        pty,
        emulator,
        publisher,
        options.limits(),
        observer(&info, &options.agents),
    );
    actor.resume(&Leftover {
        hung_up: live.hung_up,
        input: incoming.bytes(live.input).to_vec(),
        born: since_millis(live.born_ms),
        last_activity: since_millis(live.active_ms),
        terminating: live.terminating,
    });
    let pane = PaneHandle::new(parts.clone());
    pane.resume_attachments(&kept.writer);
    let slot = registry.resume_place();
    registry.reenter(pane.clone());
    let lease = LaunchEnvLease::new(registry.launch_envs.clone(), info.id);
    info!(id = %info.id, pid = info.pid, "terminal goes on");
    let own_registry = Arc::clone(registry);
    std::thread::Builder::new()
        .name("pane".into())
        .stack_size(STACK)
        .spawn(move || {
            own_registry.wait_to_go_on();
            run_to_end(&own_registry, &parts, actor, Some(slot), lease);
        })
        .map_err(|error| {
            registry.thread_ended();
            format!("no thread: {error}")
        })?;
    Ok(pane)
}

/// Whoever follows a terminal's agent on.
fn observer(info: &TerminalInfo, agents: &Adapters) -> Observer {
    let tracker = info.agent.clone().map(|agent| {
        let adapter = agents.get(&agent.kind).ok();
        let traits = adapter.map(|adapter| adapter.traits.clone());
        Tracker::resume(
            agent,
            traits.unwrap_or_default(),
            Instant::now(),
            Timestamp::now(),
        )
    });
    Observer::new(tracker, agents.clone())
}

/// Remembers a terminal that has ended.
fn resume_ended(
    registry: &Registry,
    kept: &KeptPane,
    parts: &PaneParts,
    incoming: &Incoming,
) -> PaneHandle {
    let end = kept.ended.as_ref();
    let ended_at = since_millis(end.map_or(0, |end| end.ended_ms));
    parts.facts.resume_end(ended_at);
    *parts.final_state() = end.and_then(|end| FinalState::resume(end, incoming));
    parts.mailbox.close();
    let pane = PaneHandle::new(parts.clone());
    registry.reenter(pane.clone());
    pane
}
