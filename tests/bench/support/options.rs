//! What a bench was asked for.

use std::path::PathBuf;
use std::process::exit;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Options {
    pub rounds: usize,
    pub is_quick: bool,
    /// How long what takes its time is watched.
    pub time: Duration,
    /// Keys struck for each percentile.
    pub keys: usize,
    pub tundra: PathBuf,
    only: Vec<String>,
}

impl Options {
    /// Reads the command line; where it is wrong, tells `usage` and ends.
    pub fn read(usage: &str, rounds: usize) -> Self {
        Self::parse(std::env::args().skip(1), rounds).unwrap_or_else(|message| {
            eprintln!("{message}\n{usage}");
            exit(2);
        })
    }

    fn parse(mut args: impl Iterator<Item = String>, rounds: usize) -> Result<Self, String> {
        let mut options = Self {
            rounds,
            is_quick: false,
            time: Duration::from_secs(60),
            keys: 500,
            tundra: PathBuf::from(env!("CARGO_BIN_EXE_tundra")),
            only: Vec::new(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--rounds" => options.rounds = number(&value()?)?,
                "--seconds" => options.time = Duration::from_secs(number(&value()?)? as u64),
                "--keys" => options.keys = number(&value()?)?,
                "--only" => options.only.push(value()?),
                "--tundra" => options.tundra = PathBuf::from(value()?),
                "--quick" => {
                    options.is_quick = true;
                    options.rounds = 1;
                    options.time = Duration::from_secs(5);
                    options.keys = 100;
                }
                // Cargo passes it to every bench.
                "--bench" => {}
                _ => return Err(format!("{arg:?} is no option")),
            }
        }
        Ok(options)
    }

    /// Whether this one was asked for, by a part of its name.
    pub fn wants(&self, measure: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| measure.contains(only.as_str()))
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text:?} is not a number above 0"))
}
