//! Configuration: where files live, what the file says, what is wrong with it, and its changes while tundra runs.
//!
//! `app` and `cli` load, every other room is handed validated [`Settings`] or a part of them. Whoever holds a
//! `Settings` need not check it again: every number is within its range, every name is a known one. All faults of a
//! file are told together, each with its line. This room must not know what the settings are used for.

mod adapters;
mod error;
mod import;
mod load;
mod paths;
mod private_group;
mod reader;
mod secret_values;
mod settings;
mod shell;
mod units;
mod watch;

pub use adapters::built_in_adapters;
pub use error::{ConfigError, Fault};
pub use import::{Import, ImportError, import};
pub use load::{ConfigSource, DEFAULT_FILE, load, load_text, parse, read_text};
pub use paths::{Paths, PathsError, others_may_write};
pub use secret_values::{SecretKind, SecretValue, secret_values};
pub use settings::{
    Dolt, Gateway, General, LogFormat, LogLevel, Logging, Notify, OnClose, OscKind, PaneSettings,
    Pty, Remote, Settings, Store, ThemeChoice, TlsFiles, UnicodeChoice,
};
pub use units::{parse_duration, parse_size, show_duration};
pub use watch::{FirstRead, ReloadReport, Watch, watch};
