//! Runs the checks side by side, each with its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::profile::Examined;
use super::subject::{DEADLINE, Subject};
use super::{children, clock, configuration, dolt, limits, paths, ports, profile, programs};
use super::{store, terminal};
use crate::domain::check::Check;

/// A group of checks, with the names that it answers for.
struct Job {
    names: Vec<String>,
    look: fn(&Subject) -> Vec<Check>,
}

/// Where checks stand in the list, whoever is done first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    Machine(usize),
    Clock,
    Profile(usize),
    Rest(usize),
}

/// Looks at everything. `progress` is told the name that was done last, and how many checks of how many are.
///
/// Dropping the future ends the waiting; a look at a file system that hangs goes on in its own thread.
pub async fn examine(
    subject: Arc<Subject>,
    mut progress: impl FnMut(&str, usize, usize),
) -> Vec<Check> {
    let (machine, rest) = jobs(&subject);
    let profiles = subject.profiles();
    let total = machine
        .iter()
        .chain(&rest)
        .map(|job| job.names.len())
        .sum::<usize>()
        + profiles.len() * profile::LAYERS.len()
        + 1;
    let mut running = JoinSet::new();
    let machine = machine.into_iter().enumerate();
    let machine = machine.map(|(index, job)| (Position::Machine(index), job));
    let rest = rest.into_iter().enumerate();
    let rest = rest.map(|(index, job)| (Position::Rest(index), job));
    for (place, job) in machine.chain(rest) {
        let subject = Arc::clone(&subject);
        running.spawn(async move { (place, Examined::without_clock(look(job, subject).await)) });
    }
    for (index, profile) in profiles.into_iter().enumerate() {
        let subject = Arc::clone(&subject);
        running.spawn(async move {
            let examined = profile::examine(&profile, &subject).await;
            (Position::Profile(index), examined)
        });
    }
    let mut found = BTreeMap::new();
    let mut skews = Vec::new();
    let mut done = 0;
    while let Some(joined) = running.join_next().await {
        // A look that panicked has told nothing.
        let Ok((place, examined)) = joined else {
            continue;
        };
        done += examined.checks.len();
        let name = examined.checks.last().map_or("", |check| &check.name);
        progress(name, done, total);
        skews.extend(examined.skew);
        found.insert(place, examined.checks);
    }
    found.insert(Position::Clock, vec![clock::check(&skews, subject.scope)]);
    found.into_values().flatten().collect()
}

async fn look(job: Job, subject: Arc<Subject>) -> Vec<Check> {
    let Job { names, look } = job;
    let looked = tokio::task::spawn_blocking(move || look(&subject));
    match timeout(DEADLINE, looked).await {
        Ok(Ok(checks)) => checks,
        Ok(Err(_)) => unfinished(names, "the check itself failed"),
        Err(_) => unfinished(names, "it did not end within 5 s"),
    }
}

fn unfinished(names: Vec<String>, why: &str) -> Vec<Check> {
    let cure = "try again; where it stays, tundra logs tells more";
    names
        .into_iter()
        .map(|name| Check::warn(name, why, cure))
        .collect()
}

/// What is looked at before the providers, and after them.
fn jobs(subject: &Subject) -> (Vec<Job>, Vec<Job>) {
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let machine = vec![
        Job {
            names: named(&terminal::NAMES),
            look: terminal::checks,
        },
        Job {
            names: named(&limits::NAMES),
            look: limits::checks,
        },
        Job {
            names: programs::names(subject),
            look: programs::checks,
        },
        Job {
            names: named(&configuration::NAMES),
            look: configuration::checks,
        },
        Job {
            names: named(&paths::NAMES),
            look: paths::checks,
        },
        Job {
            names: named(&ports::NAMES),
            look: ports::checks,
        },
    ];
    let rest = vec![
        Job {
            names: named(&[store::NAME]),
            look: |subject| vec![store::check(subject)],
        },
        Job {
            names: named(&[dolt::NAME]),
            look: |subject| vec![dolt::check(subject)],
        },
        Job {
            names: named(&[children::NAME]),
            look: |subject| vec![children::check(subject)],
        },
    ];
    (machine, rest)
}
