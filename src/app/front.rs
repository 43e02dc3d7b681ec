//! The front end of an instance, and what it is given.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::Ending;
use super::error::AppError;
use super::instance::Instance;
use super::kept_session::SessionKeeper;
use super::reload::Reloads;
use crate::config::{ReloadReport, Settings};
use crate::domain::keymap::LostChord;
use crate::domain::terminal::Owner;
use crate::store::{DoltState, Store, StoreState};
use crate::tui::{self, Life, Notice, Prominence, Severity};

/// Notices that the front end has not read yet; it reads at once, and what is dropped is in the log.
const NOTICES: usize = 16;

/// Runs the front end until the instance is to end, whether a terminal shows it or not.
pub(super) async fn run(instance: Instance, life: Life) -> Result<Ending, AppError> {
    let first = instance.first_terminals(Owner::Front);
    let first_steps = instance.first_steps();
    let checkup = instance.checkup();
    let Instance {
        pool,
        settings,
        reloads,
        providers,
        tasks,
        notices: at_start,
        remote,
        store,
        lent,
        link,
        facts,
        notice_desk,
        restored,
        resumed,
        session_file,
        terminations,
        ..
    } = instance;
    let (saved, kept) = watch::channel(None);
    let mut keeper = SessionKeeper::new(session_file, kept);
    let (sender, notices) = mpsc::channel(NOTICES);
    let keys = settings.clone();
    // The newest stands in the hint line: what to do next goes before ports that are another program's.
    let at_start = at_start
        .into_iter()
        .map(quiet)
        .chain(first_steps.map(first_step))
        .collect();
    tasks.spawn("notices", tell(at_start, keys, reloads, sender.clone()));
    tasks.spawn("store notices", tell_store(store.clone(), sender));
    let services = tui::Services {
        pool,
        settings,
        providers,
        store,
        log_file: facts.log_file,
        notices,
        terminations,
        addresses: remote.addresses(),
        lent,
        link,
        agent_notices: notice_desk.notices(),
        attended: notice_desk.attended(),
        checkup,
        first,
        life,
        restored,
        resumed,
        saved,
    };
    let ended = tokio::select! {
        ended = Box::pin(tui::run(services)) => ended?,
        never = keeper.run() => match never {},
    };
    Ok(match ended {
        tui::Ending::Quit => {
            keeper.forget().await;
            Ending::Quit
        }
        tui::Ending::Signal(signal) => {
            keeper.finish().await;
            Ending::Signal(signal)
        }
    })
}

/// Tells the front end what became of changes of the configuration, and troubles of the log, while it listens.
async fn tell(
    at_start: Vec<Notice>,
    settings: watch::Receiver<Arc<Settings>>,
    mut reloads: Reloads,
    notices: mpsc::Sender<Notice>,
) {
    let mut log = reloads.log_trouble.take();
    if let Some(trouble) = &mut log {
        // It is among what is told of the start.
        trouble.mark_unchanged();
    }
    let mut lost = Vec::new();
    for notice in at_start {
        let _ = notices.try_send(notice);
    }
    tell_lost_keys(&settings, &mut lost, &notices);
    loop {
        let news = tokio::select! {
            () = notices.closed() => return,
            report = reloads.reports.recv() => match report {
                Some(report) => of_report(&report),
                None => return,
            },
            trouble = next_trouble(&mut log) => vec![Notice {
                severity: Severity::Error,
                prominence: Prominence::Toast,
                text: trouble,
            }],
        };
        for notice in news {
            let _ = notices.try_send(notice);
        }
        tell_lost_keys(&settings, &mut lost, &notices);
    }
}

/// Tells when the journal or its copy is in trouble, and when it is over.
async fn tell_store(store: Store, notices: mpsc::Sender<Notice>) {
    let (mut journal, mut dolt) = (store.watch(), store.watch_dolt());
    let (mut was_well, mut told) = (true, None);
    loop {
        let (trouble, is_over) = store_trouble(&store);
        if trouble != told {
            let text = match &trouble {
                Some(trouble) => Some((Severity::Warning, trouble.clone())),
                None if is_over && !was_well => {
                    Some((Severity::Success, "the store is ready".to_owned()))
                }
                None => None,
            };
            if let Some((severity, text)) = text {
                let _ = notices.try_send(Notice {
                    severity,
                    prominence: Prominence::LastEvent,
                    text,
                });
            }
            was_well = trouble.is_none();
            told = trouble;
        }
        let changed = tokio::select! {
            () = notices.closed() => return,
            changed = journal.changed() => changed.is_ok(),
            changed = dolt.changed() => changed.is_ok(),
        };
        if !changed {
            return;
        }
    }
}

/// What is wrong with the store, and whether nothing is.
fn store_trouble(store: &Store) -> (Option<String>, bool) {
    let status = store.status();
    let journal = match status.state {
        StoreState::Degraded | StoreState::SchemaNewer => Some(format!(
            "the store is {}: {}",
            status.state.as_str(),
            status.message.unwrap_or_default()
        )),
        StoreState::Ready | StoreState::Off => None,
    };
    let dolt = match status.dolt.state {
        DoltState::Disabled | DoltState::Connecting | DoltState::Ready => None,
        DoltState::NotDolt
        | DoltState::WrongDatabase
        | DoltState::AuthFailed
        | DoltState::SchemaNewer
        | DoltState::Backoff => Some(format!("dolt: {}", status.dolt.message.unwrap_or_default())),
    };
    let is_over = status.dolt.state != DoltState::Connecting;
    (journal.or(dolt), is_over)
}

/// Tells which keys the configuration took from their actions, each once.
fn tell_lost_keys(
    settings: &watch::Receiver<Arc<Settings>>,
    told: &mut Vec<LostChord>,
    notices: &mpsc::Sender<Notice>,
) {
    let lost = settings.borrow().keymap.lost().to_vec();
    for chord in lost.iter().filter(|chord| !told.contains(chord)) {
        let _ = notices.try_send(quiet(chord.to_string()));
    }
    *told = lost;
}

/// What to do next; nothing is wrong.
fn first_step(text: String) -> Notice {
    Notice {
        severity: Severity::Info,
        ..quiet(text)
    }
}

/// Nothing is to lie over what one types into a fresh shell.
fn quiet(text: String) -> Notice {
    Notice {
        severity: Severity::Warning,
        prominence: Prominence::LastEvent,
        text,
    }
}

/// The next thing that is wrong with the log; never, where there is no log.
async fn next_trouble(log: &mut Option<tokio::sync::watch::Receiver<Option<String>>>) -> String {
    let Some(trouble) = log else {
        return std::future::pending().await;
    };
    while trouble.changed().await.is_ok() {
        if let Some(text) = trouble.borrow_and_update().clone() {
            return text;
        }
    }
    std::future::pending().await
}

/// What is told of a report, each fault by itself.
fn of_report(report: &ReloadReport) -> Vec<Notice> {
    let toast = |severity, text| Notice {
        severity,
        prominence: Prominence::Toast,
        text,
    };
    match report {
        ReloadReport::Applied { at_next_start } if at_next_start.is_empty() => {
            vec![toast(Severity::Success, "configuration applied".to_owned())]
        }
        ReloadReport::Applied { at_next_start } => {
            let keys = at_next_start.join(", ");
            let text = format!("configuration applied; at the next start: {keys}");
            vec![toast(Severity::Warning, text)]
        }
        ReloadReport::Refused(error) => {
            let faults = error.faults().into_iter();
            faults.map(|fault| toast(Severity::Error, fault)).collect()
        }
    }
}
