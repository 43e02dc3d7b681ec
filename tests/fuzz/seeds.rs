//! What the targets begin with: whole and valid inputs, so that what is tried comes far.
//!
//! A target writes its seeds into the folder that `TUNDRA_FUZZ_SEEDS` names when it starts, before libFuzzer reads its
//! corpus there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{self, Crossing, Way};

/// Writes each seed into a file of its own, where a folder for them is named.
pub fn write(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let Some(folder) = std::env::var_os("TUNDRA_FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    fs::create_dir_all(&folder).expect("the folder of the seeds");
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed is written");
    }
}

/// The beginnings of a folder's files in `tests/fixtures`: longer ones take too long to be tried often.
pub fn fixtures(folder: &str) -> Vec<Vec<u8>> {
    const MOST: usize = 1500;
    let folder = root().join(folder);
    let entries = fs::read_dir(&folder).expect("a folder of fixtures");
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let mut text = fs::read(file).expect("a fixture");
            text.truncate(MOST);
            text
        })
        .collect()
}

/// The bodies of a file of translations, each with the number of its dialect.
pub fn bodies(file: &str) -> Vec<(u8, Vec<u8>)> {
    let text = fs::read(root().join("translation").join(file)).expect("the fixtures");
    let cases: Value = serde_json::from_slice(&text).expect("JSON");
    let cases = cases.as_object().expect("cases by their names");
    let told = cases.values().filter_map(Value::as_object).flatten();
    told.filter_map(|(name, body)| {
        let dialect = TranslatedDialect::ALL
            .into_iter()
            .find(|known| known.as_str() == name)?;
        let body = serde_json::to_vec(body).expect("it was JSON");
        Some((number_of(dialect), body))
    })
    .collect()
}

fn number_of(dialect: TranslatedDialect) -> u8 {
    let place = TranslatedDialect::ALL
        .iter()
        .position(|known| *known == dialect);
    u8::try_from(place.expect("one of all")).expect("few dialects")
}

/// The answers as streams of every dialect, each with the dialect's number.
pub fn streams() -> Vec<(u8, Vec<u8>)> {
    let mut streams = Vec::new();
    for (from, body) in bodies("answers.json") {
        for (upstream, caller) in pairs_from(from).map(pair) {
            if let Ok(stream) = translate::whole_as_stream(&body, crossing(upstream, caller)) {
                streams.push((number_of(caller), stream.to_vec()));
            }
        }
    }
    streams
}

/// One dialect for any number.
pub fn dialect(number: u8) -> TranslatedDialect {
    TranslatedDialect::ALL[usize::from(number) % TranslatedDialect::ALL.len()]
}

/// A provider's dialect and a caller's for any number: two that differ, since nothing is translated between equals.
pub fn pair(number: u8) -> (TranslatedDialect, TranslatedDialect) {
    let upstream = number % 3;
    (dialect(upstream), dialect(upstream + 1 + number / 3 % 2))
}

/// The numbers of the pairs with that provider's dialect.
pub fn pairs_from(upstream: u8) -> [u8; 2] {
    [upstream, upstream + 3]
}

pub fn crossing(upstream: TranslatedDialect, caller: TranslatedDialect) -> Crossing {
    Crossing {
        caller,
        upstream,
        maker: Maker::of("http://x", upstream),
        model: "m".to_owned(),
        id: "0".to_owned(),
        created: 1,
        input_estimate: 1,
        way: Way::default(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}
