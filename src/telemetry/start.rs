//! Starts logging and keeps it in step with the configuration.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tracing::info;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use super::filter;
use super::journald::Journald;
use super::line::Lines;
use super::rotate::{Limits, RotatingFile};
use crate::config::{LogFormat, LogLevel, Logging};

/// Lines that wait for the disk; some seconds of the busiest logging. Beyond them lines are dropped and counted.
const QUEUED_LINES: usize = 8192;

/// Logging of a running instance; what is still queued is written when it is dropped.
#[derive(Debug)]
pub struct Telemetry {
    limits: Arc<Limits>,
    filter: reload::Handle<EnvFilter, Registry>,
    current: Mutex<Current>,
    /// `RUST_LOG` decides, whatever the configuration says.
    is_from_environment: bool,
    /// Whether lines go to systemd's journal, too.
    journald: Arc<AtomicBool>,
    dropped: ErrorCounter,
    trouble: watch::Receiver<Option<String>>,
    warning: Option<String>,
    _guard: WorkerGuard,
}

/// What is logged now.
#[derive(Debug)]
struct Current {
    filter: String,
    /// As configured last.
    level: LogLevel,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("logging is already started")]
    Started,
}

/// Starts logging to a file for the whole process. A file that cannot be written is no error: see
/// [`Telemetry::trouble`].
///
/// # Errors
/// [`TelemetryError::Started`] where this process logs already.
pub fn start(logging: &Logging, log_file: PathBuf) -> Result<Telemetry, TelemetryError> {
    let limits = Arc::new(Limits {
        max_size: AtomicU64::new(logging.max_size),
        keep: AtomicUsize::new(logging.keep),
    });
    let (trouble_sender, trouble) = watch::channel(None);
    let file = RotatingFile::new(log_file, Arc::clone(&limits), trouble_sender);
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUED_LINES)
        .lossy(true)
        .thread_name("log")
        .finish(Lines::new(file, logging.format));
    let dropped = writer.error_counter();

    let (from_environment, warning) = match filter::of_environment(std::env::var("RUST_LOG").ok()) {
        Some(Ok(filter)) => (Some(filter), None),
        Some(Err(warning)) => (None, Some(warning)),
        None => (None, None),
    };
    let is_from_environment = from_environment.is_some();
    let current = from_environment.unwrap_or_else(|| filter::of_level(logging.level).to_owned());
    let first = filter::parse(&current).unwrap_or_default();
    let (filter, handle) = reload::Layer::new(first);
    let lines = fmt::layer().with_ansi(false).with_writer(writer);
    let journald = Arc::new(AtomicBool::new(logging.journald));
    let journal = Journald::new(Arc::clone(&journald)).ok();
    let lines = match logging.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let sinks = lines.and_then(journal);
    let registry = tracing_subscriber::registry().with(sinks.with_filter(filter));
    registry.try_init().map_err(|_| TelemetryError::Started)?;
    Ok(Telemetry {
        limits,
        filter: handle,
        current: Mutex::new(Current {
            filter: current,
            level: logging.level,
        }),
        is_from_environment,
        journald,
        dropped,
        trouble,
        warning,
        _guard: guard,
    })
}

impl Telemetry {
    /// Takes over a changed level (where `RUST_LOG` does not decide it), size and number of files, and whether the journal is told.
    pub fn apply(&self, logging: &Logging) {
        self.limits
            .max_size
            .store(logging.max_size, Ordering::Relaxed);
        self.limits.keep.store(logging.keep, Ordering::Relaxed);
        self.journald.store(logging.journald, Ordering::Relaxed);
        let mut current = self.current();
        // What was asked for by a command holds until the level itself is changed.
        let is_news = std::mem::replace(&mut current.level, logging.level) != logging.level;
        drop(current);
        if is_news && !self.is_from_environment {
            let _ = self.set_filter(filter::of_level(logging.level), "reload");
        }
    }

    /// What is logged now, as `RUST_LOG` would have it.
    #[must_use]
    pub fn filter(&self) -> String {
        self.current().filter.clone()
    }

    /// Logs something else from now on, and tells the log so whatever the old and the new filter say.
    ///
    /// # Errors
    /// What is wrong with the filter.
    pub fn set_filter(&self, text: &str, by: &str) -> Result<(), String> {
        let filter = filter::parse(text)?;
        let mut current = self.current();
        let from = std::mem::replace(&mut current.filter, text.to_owned());
        // It fails only when logging has ended.
        let _ = self.filter.reload(EnvFilter::new("info"));
        info!(from, to = text, by, "the log's filter is changed");
        let _ = self.filter.reload(filter);
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong at the start: with the log, and with what the environment asks of it.
    pub fn notices(&self) -> Vec<String> {
        let trouble = self.trouble.borrow().clone();
        self.warning.iter().cloned().chain(trouble).collect()
    }

    /// What is wrong with the log now, None while all is well; for the screen of a front end.
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.trouble.clone()
    }

    /// Lines lost since the start because the disk was too slow for them.
    pub fn dropped_lines(&self) -> usize {
        self.dropped.dropped_lines()
    }
}
