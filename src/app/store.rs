//! The store: what it is started with, how its end is told, and the usage that goes on from it.

use jiff::Timestamp;
use tracing::warn;

use super::error::AppError;
use super::{Ending, Launch};
use crate::api::at_rest;
use crate::config::{self, ConfigSource, Paths};
use crate::domain::fact::End;
use crate::domain::outcome::ErrorKind;
use crate::domain::profile::ProfileName;
use crate::domain::usage::{Cost, Counters, Errors, Tokens};
use crate::providers::Providers;
use crate::runtime::tasks::Tasks;
use crate::store::{KeptStore, RunningStore, Store, StoreError, StoreOptions, StoreStatus, Totals};

/// Starts the journal, and the shipper where a copy is wanted.
pub(super) fn start(
    launch: &Launch,
    started_at: Timestamp,
    kept: Option<KeptStore>,
    tasks: &Tasks,
) -> Result<(Store, RunningStore), AppError> {
    let settings = &launch.settings;
    let options = StoreOptions {
        path: launch.paths.journal(),
        host: at_rest::host(),
        version: launch.version.clone(),
        pid: std::process::id(),
        started_at,
        retention: settings.store.retention,
        dolt: at_rest::dolt_options(&settings.dolt, &launch.paths),
    };
    match kept {
        Some(kept) => Store::go_on(options, kept, tasks),
        None => Store::start(options, tasks),
    }
    .map_err(AppError::Runtime)
}

/// How an instance's end is told.
pub(super) fn end_of(outcome: &Result<Ending, AppError>) -> End {
    match outcome {
        Ok(Ending::Quit) => End::Quit,
        Ok(Ending::Signal(signal)) => End::Signal(signal.name()),
        Err(_) => End::Failed,
    }
}

/// Lets the providers' counters go on from what earlier instances have used, once the journal can tell.
pub(super) fn resume_usage(
    store: &Store,
    providers: &Providers,
    started_at: Timestamp,
    tasks: &Tasks,
) {
    let (store, providers) = (store.clone(), providers.clone());
    let ending = tasks.ending();
    tasks.spawn("resume usage", async move {
        let opened = tokio::select! {
            opened = store.opened() => opened,
            () = ending => false,
        };
        if !opened {
            return;
        }
        let read = tokio::task::spawn_blocking(move || -> Result<_, StoreError> {
            store.read()?.totals_before(store.instance_id(), started_at)
        });
        match read.await {
            Ok(Ok(totals)) => {
                for (profile, totals) in totals {
                    let name = ProfileName::from(profile.as_str());
                    providers.resume_usage(&name, &counters(&totals));
                }
            }
            Ok(Err(error)) => warn!(%error, "usage of earlier runs cannot be read"),
            Err(error) => warn!(%error, "usage of earlier runs was not read"),
        }
    });
}

/// Errors whose kind the history does not tell any more are counted as those of the connection.
fn counters(totals: &Totals) -> Counters {
    let sum = &totals.sum;
    let mut errors = Errors::default();
    let mut of_known_kind = 0;
    for kind in ErrorKind::ALL {
        let count = match kind {
            ErrorKind::RateLimited => sum.rate_limited,
            ErrorKind::Http
            | ErrorKind::Api
            | ErrorKind::Timeout
            | ErrorKind::Parse
            | ErrorKind::Unsupported => {
                let told = totals.errors_by_kind.get(kind.as_str());
                let count = told.copied().unwrap_or(0).min(sum.errors - of_known_kind);
                of_known_kind += count;
                count
            }
        };
        errors.add(kind, count);
    }
    errors.add(ErrorKind::Http, sum.errors - of_known_kind);
    Counters {
        requests: sum.requests,
        errors,
        tokens: Tokens {
            input: sum.tokens_in,
            output: sum.tokens_out,
            cache_read: sum.cache_read,
            cache_write: sum.cache_write,
        },
        estimated: sum.estimated,
        cost: Cost {
            nanodollars: sum.cost_micros.unwrap_or(0).saturating_mul(1000),
            // What nobody knew the price of stays unknown.
            unknown: u64::from(sum.cost_micros.is_none() && sum.tokens_in + sum.tokens_out > 0),
        },
        ..Counters::default()
    }
}

/// How the store of a home stands in which no instance runs.
///
/// # Errors
/// [`AppError::Runtime`] where no runtime can be had, [`AppError::Store`] where the journal cannot be read.
pub fn store_at_rest(paths: &Paths, source: &ConfigSource) -> Result<StoreStatus, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AppError::Runtime)?;
    let status = runtime.block_on(at_rest::store(paths, &config::load(source)));
    // A name that is still looked up holds nobody up.
    runtime.shutdown_background();
    Ok(status?)
}
