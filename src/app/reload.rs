//! The configuration's changes, carried to the rooms they concern.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::pool::pool_options;
use super::secret_variables;
use super::{ConfigText, Launch};
use crate::api::at_rest;
use crate::config::{self, FirstRead, ReloadReport, Settings, Watch};
use crate::domain::fact::{Fact, What};
use crate::pane::Pool;
use crate::providers::Providers;
use crate::runtime::secrets;
use crate::runtime::tasks::Tasks;
use crate::store::Store;
use crate::telemetry::{Telemetry, TraceExporter};

/// Reports that nobody has read yet. A server without a front end has nobody to read them, and drops the rest.
const REPORTS: usize = 8;

/// What became of changes of the file, for a front end to tell.
pub(super) struct Reloads {
    pub reports: mpsc::Receiver<ReloadReport>,
    /// What is wrong with the log, None while all is well.
    pub log_trouble: Option<watch::Receiver<Option<String>>>,
}

/// Whom a change concerns, besides the log.
pub(super) struct ReloadTargets {
    pub pool: Pool,
    pub providers: Providers,
    pub store: Store,
    pub traces: TraceExporter,
}

impl Reloads {
    /// Watches the file where it can be watched, and applies each good change to the rooms and the log.
    pub fn start(
        launch: &Launch,
        telemetry: Option<Arc<Telemetry>>,
        targets: ReloadTargets,
        tasks: &Tasks,
    ) -> (watch::Receiver<Arc<Settings>>, Self) {
        let initial = Arc::new(launch.settings.clone());
        let first_read = match launch.config_text {
            ConfigText::Read(_) => FirstRead::OnChange,
            ConfigText::Kept(_) => FirstRead::AtOnce,
        };
        let log_trouble = telemetry.as_deref().map(Telemetry::trouble);
        let (reports_out, reports) = mpsc::channel(REPORTS);
        let reloads = Self {
            reports,
            log_trouble,
        };
        let watch = match config::watch(launch.config.clone(), Arc::clone(&initial), first_read) {
            Ok(watch) => watch,
            Err(error) => {
                warn!(%error, "the configuration is not watched: changes need a restart");
                let (sender, settings) = watch::channel(initial);
                let ending = tasks.ending();
                tasks.spawn("reload", async move {
                    // Held to the end: logging stops with its guard, and a closed channel would read as an end.
                    ending.await;
                    drop((telemetry, sender));
                });
                return (settings, reloads);
            }
        };
        // The rooms have a change before those who look at the settings do, so that what these show of the rooms is right.
        let (publish, settings) = watch::channel(initial);
        let paths = launch.paths.clone();
        let recorder = targets.store.recorder();
        let ending = tasks.ending();
        tasks.spawn("reload", async move {
            tokio::pin!(ending);
            let mut watch = watch;
            loop {
                let report = tokio::select! {
                    report = watch.reports.recv() => report,
                    () = &mut ending => return,
                };
                let Some(report) = report else { return };
                if let ReloadReport::Applied { .. } = report {
                    let settings = Arc::clone(&watch.settings.borrow());
                    secrets::take(secret_variables::of(&settings));
                    targets.pool.set_options(pool_options(&settings, &paths));
                    targets.providers.reload(&settings);
                    targets
                        .traces
                        .set_endpoint(settings.logging.otlp_endpoint.clone());
                    targets.store.set_retention(settings.store.retention);
                    targets
                        .store
                        .set_dolt(at_rest::dolt_options(&settings.dolt, &paths));
                    publish.send_replace(settings);
                }
                recorder.record(fact_of(&report));
                apply(&report, &watch, telemetry.as_deref());
                let _ = reports_out.try_send(report);
            }
        });
        (settings, reloads)
    }
}

fn fact_of(report: &ReloadReport) -> Fact {
    let what = match report {
        ReloadReport::Applied { at_next_start } => What::ConfigReloaded {
            at_next_start: at_next_start.iter().copied().map(str::to_owned).collect(),
        },
        ReloadReport::Refused(error) => What::ConfigRefused {
            why: error.faults().join("; "),
        },
    };
    Fact::at(Timestamp::now(), what)
}

fn apply(report: &ReloadReport, watch: &Watch, telemetry: Option<&Telemetry>) {
    match report {
        ReloadReport::Applied { at_next_start } => {
            let settings = Arc::clone(&watch.settings.borrow());
            if let Some(telemetry) = telemetry {
                telemetry.apply(&settings.logging);
            }
            info!(?at_next_start, by = "reload", "configuration applied");
        }
        ReloadReport::Refused(error) => {
            for fault in error.faults() {
                warn!(
                    fault,
                    by = "reload",
                    "configuration refused; the last good one stays"
                );
            }
        }
    }
}
