//! Which agents there are: found where, in which version, and whether their requests would be seen.

use std::time::Duration;

use super::shapes::AdapterShape;
use crate::domain::adapter::{Adapter, Adapters, Version};
use crate::domain::offer::Offers;
use crate::runtime::{programs, version};

/// How long a program may take to tell its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks every agent up and asks those that are found for their version, all at once. Blocks for as long as the slowest
/// takes, at most five seconds. `shell` is what stands for an agent without a command, `offers` what the gateway has for each.
#[must_use]
pub fn agents(adapters: &Adapters, shell: &[String], offers: Offers) -> Vec<AdapterShape> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = adapters
            .iter()
            .map(|adapter| (adapter, scope.spawn(move || shape(adapter, shell, offers))))
            .collect();
        let told = asked.into_iter().map(|(adapter, asked)| {
            // Only a bug of ours ends a thread without an answer.
            asked
                .join()
                .unwrap_or_else(|_| unknown(adapter, shell, offers))
        });
        told.collect()
    })
}

fn unknown(adapter: &Adapter, shell: &[String], offers: Offers) -> AdapterShape {
    let command = if adapter.command.is_empty() {
        shell
    } else {
        &adapter.command
    };
    AdapterShape {
        name: adapter.name.to_string(),
        command: command.to_vec(),
        found: None,
        version: None,
        observed: adapter.unobserved(None, offers).is_none(),
        note: None,
    }
}

fn shape(adapter: &Adapter, shell: &[String], offers: Offers) -> AdapterShape {
    let mut shape = unknown(adapter, shell, offers);
    let program = shape.command.first().map_or("", String::as_str);
    let path = match programs::find_here(program) {
        Ok(path) => path,
        Err(error) => {
            let why = adapter.unobserved(None, offers);
            shape.note = Some(match why {
                Some(why) => format!("{error}; {why}"),
                None => error.to_string(),
            });
            return shape;
        }
    };
    // Of a command of several words the program is only what runs the agent; and not every shell can tell.
    let said = (adapter.command.len() == 1)
        .then(|| version::version_of(&path, PATIENCE).or_else(|| version::packaged(&path)))
        .flatten();
    let version = said.as_deref().and_then(Version::find);
    let why = adapter.unobserved(version.as_ref().map(|(_, version)| version), offers);
    shape.observed = why.is_none();
    shape.note = why.map(str::to_owned);
    shape.version = version.map(|(text, _)| text.to_owned());
    shape.found = Some(path.to_string_lossy().into_owned());
    shape
}
