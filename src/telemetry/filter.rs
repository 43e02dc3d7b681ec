//! Which lines are logged.

use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;

/// The filter of a configured level; at the default one tundra's own steps are told too.
pub(super) fn of_level(level: LogLevel) -> EnvFilter {
    EnvFilter::new(match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info,tundra=debug",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    })
}

/// The filter that `RUST_LOG` asks for; None where it is unset or empty, an error where it cannot be read.
pub(super) fn of_environment(value: Option<String>) -> Option<Result<EnvFilter, String>> {
    let value = value.filter(|value| !value.trim().is_empty())?;
    Some(
        EnvFilter::try_new(&value)
            .map_err(|error| format!("RUST_LOG={value:?} is ignored: {error}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_level_tells_tundras_own_steps() {
        let filter = of_level(LogLevel::Info).to_string();
        let mut directives: Vec<&str> = filter.split(',').collect();
        directives.sort_unstable();
        assert_eq!(directives, ["info", "tundra=debug"]);
    }

    #[test]
    fn the_environment_is_honoured_where_it_can_be_read() {
        assert!(of_environment(None).is_none());
        assert!(of_environment(Some(" ".to_owned())).is_none());
        assert!(of_environment(Some("warn".to_owned())).unwrap().is_ok());
        assert!(
            of_environment(Some("tundra=loud=x".to_owned()))
                .unwrap()
                .is_err()
        );
    }
}
