//! What is known of one terminal, and who is told when it changes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tokio::sync::Notify;

use super::confine::Confined;
use super::listeners::Listeners;
use crate::domain::event::TerminalEvent;
use crate::domain::id::TerminalId;
use crate::domain::terminal::{Status, TerminalInfo, TerminalSpec};

/// A terminal's facts, shared by its thread and its handles.
pub(super) struct Facts {
    pub id: TerminalId,
    pub pid: Pid,
    /// How its processes are known, where they are kept from the instance.
    pub confined: Option<Confined>,
    /// What it was started with, so that it can be started again.
    pub spec: OnceLock<TerminalSpec>,
    info: Mutex<TerminalInfo>,
    /// Rung after every change of `info`, and when the session is gone.
    changed: Notify,
    listeners: Listeners,
    /// The working directory that the program told last (OSC 7).
    directory: Mutex<Option<PathBuf>>,
    ended_at: OnceLock<Instant>,
    session_gone: AtomicBool,
}

impl Facts {
    pub fn new(
        info: TerminalInfo,
        pid: Pid,
        confined: Option<Confined>,
        listeners: Listeners,
    ) -> Self {
        Self {
            id: info.id,
            pid,
            confined,
            spec: OnceLock::new(),
            info: Mutex::new(info),
            changed: Notify::new(),
            listeners,
            directory: Mutex::new(None),
            ended_at: OnceLock::new(),
            session_gone: AtomicBool::new(false),
        }
    }

    /// Notes that the terminal ended in another program, and when.
    pub fn resume_end(&self, ended_at: Instant) {
        let _ = self.ended_at.set(ended_at);
        self.session_gone.store(true, Ordering::Release);
    }

    /// The working directory that the program told last.
    pub fn told_directory(&self) -> Option<PathBuf> {
        self.directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub fn info(&self) -> MutexGuard<'_, TerminalInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the facts and tells those who wait or listen, unless nothing changed.
    pub fn update(&self, change: impl FnOnce(&mut TerminalInfo)) {
        {
            let mut info = self.info();
            let before = info.clone();
            change(&mut info);
            if *info == before {
                return;
            }
            self.listeners.note_change(&before, &info);
        }
        self.changed.notify_waiters();
        self.tell(TerminalEvent::Changed { id: self.id });
    }

    /// Like [`Facts::update`], for the last change of all.
    pub fn end(&self, change: impl FnOnce(&mut TerminalInfo)) {
        self.ended_at.get_or_init(Instant::now);
        self.update(change);
    }

    /// When the terminal ended, if it has.
    pub fn ended_at(&self) -> Option<Instant> {
        self.ended_at.get().copied()
    }

    /// How long ago the terminal ended, if it has.
    pub fn ended_for(&self) -> Option<Duration> {
        self.ended_at.get().map(Instant::elapsed)
    }

    /// No process of the session is left.
    pub fn set_session_gone(&self) {
        self.session_gone.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub fn is_session_gone(&self) -> bool {
        self.session_gone.load(Ordering::Acquire)
    }

    /// The program told its working directory.
    pub fn set_directory(&self, path: PathBuf) {
        *self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(path);
    }

    /// Where the program is now: as it told (OSC 7), else as the kernel knows of the first process.
    pub fn working_directory(&self) -> PathBuf {
        let told = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        told.filter(|path| path.is_dir())
            .or_else(|| {
                let pid = self.pid.as_raw_nonzero();
                std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
            })
            .unwrap_or_else(|| self.info().cwd.clone())
    }

    /// Tells every listener; nobody listening is no fault.
    pub fn tell(&self, event: TerminalEvent) {
        self.listeners.tell(event, &self.info);
    }

    /// Waits until something holds. Cancel-safe.
    pub async fn wait_until(&self, mut holds: impl FnMut() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Armed before looking, so that a change in between is not slept through.
            changed.as_mut().enable();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until it holds of the facts: true if it does, false if the terminal ended and it never will. Cancel-safe.
    pub async fn wait_info(&self, holds: impl Fn(&TerminalInfo) -> bool) -> bool {
        let mut outcome = false;
        self.wait_until(|| {
            let info = self.info();
            outcome = holds(&info);
            outcome || info.status == Status::Dead
        })
        .await;
        outcome
    }
}
