//! Which lines are logged.

use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;

/// The filter of a configured level; at the default one tundra's own steps are told too.
pub(super) const fn of_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info,tundra=debug",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}

/// Reads a filter as `RUST_LOG` has it.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<EnvFilter, String> {
    if text.trim().is_empty() {
        return Err("a filter must not be empty: \"off\" logs nothing".to_owned());
    }
    EnvFilter::try_new(text).map_err(|error| {
        format!(
            "{text:?} is no filter ({error}): such as \"debug\" or \"info,tundra::store=trace\""
        )
    })
}

/// The filter that `RUST_LOG` asks for; None where it is unset or empty, an error where it cannot be read.
pub(super) fn of_environment(value: Option<String>) -> Option<Result<String, String>> {
    let value = value.filter(|value| !value.trim().is_empty())?;
    let read = parse(&value).map_err(|error| format!("RUST_LOG is ignored: {error}"));
    Some(read.map(|_| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_filter_is_told_with_one_that_is() {
        for level in LogLevel::ALL {
            assert!(parse(of_level(level)).is_ok(), "{level:?}");
        }
        let told = parse("tundra=loud").unwrap_err();
        assert!(told.contains("info,tundra::store=trace"), "{told}");
        assert!(parse(" ").is_err());
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
