//! What the bench was asked for.

use std::path::PathBuf;
use std::time::Duration;

pub const USAGE: &str = "usage: cargo bench --bench remote -- [--rounds N] [--seconds N] [--keys N] \
[--only cat|echo|repaint|idle|stopped|hundred|local]… [--tundra FILE] [--quick]";

#[derive(Clone, Debug)]
pub struct Options {
    pub rounds: usize,
    /// How long a viewer stops reading, and a hundred of them read.
    pub time: Duration,
    /// Keys struck for each percentile.
    pub keys: usize,
    pub tundra: PathBuf,
    pub ttyd: PathBuf,
    only: Vec<String>,
}

impl Options {
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            rounds: 5,
            time: Duration::from_secs(60),
            keys: 500,
            tundra: PathBuf::from(env!("CARGO_BIN_EXE_tundra")),
            ttyd: std::env::var_os("TUNDRA_BENCH_TTYD").map_or("ttyd".into(), PathBuf::from),
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

    pub fn wants(&self, measure: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == measure)
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text:?} is not a number above 0"))
}
