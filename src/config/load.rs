//! From the file's text to [`Settings`], or to all its faults.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use super::adapters::built_in_adapters;
use super::error::{ConfigError, Fault};
use super::paths::Paths;
use super::reader::{Faults, Item, Table};
use super::settings::{
    General, LogFormat, LogLevel, Logging, OnClose, PaneSettings, Pty, Settings, ThemeChoice,
    UnicodeChoice,
};
use super::shell::plain_words;
use crate::domain::adapter::Adapters;
use crate::domain::breaker::BreakerSettings;
use crate::domain::chord::Chord;
use crate::domain::input::{KeyCode, Mods};
use crate::domain::keymap::Keymap;
use crate::domain::timeouts::Timeouts;

mod agent;
mod gateway;
mod notices;
mod profile;
mod remote;
mod store;
mod values;

use values::{
    MAX_GRACE, MAX_LIFETIME, WORDS_OR_TEXT, command_line, command_words, environment,
    working_directory,
};

/// The configuration file with every key and its default, which itself is a valid configuration.
pub const DEFAULT_FILE: &str = include_str!("../../config.example.toml");

/// A file larger than this is not a configuration.
const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_SCROLLBACK_LINES: i64 = 10_000_000;

/// Which file is the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSource {
    pub path: PathBuf,
    /// The user named this very file, so that it must be there.
    pub named: bool,
}

impl ConfigSource {
    /// The file named by `--config` or `TUNDRA_CONFIG`, else the home's own.
    pub fn new(named: Option<PathBuf>, paths: &Paths) -> Self {
        match named {
            Some(path) => Self {
                path: std::path::absolute(&path).unwrap_or(path),
                named: true,
            },
            None => Self {
                path: paths.config_file(),
                named: false,
            },
        }
    }

    pub(super) fn file_name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    fn faults(&self, faults: Vec<Fault>) -> ConfigError {
        ConfigError::Faults {
            path: self.path.clone(),
            faults,
        }
    }
}

/// Reads and validates the configuration; where no file was named and none is there, the defaults.
///
/// # Errors
/// [`ConfigError`] where the file cannot be read, or with all faults of what stands in it.
pub fn load(source: &ConfigSource) -> Result<Settings, ConfigError> {
    load_text(source, &read_text(source)?)
}

/// Reads the text of the configuration; where no file was named and none is there, an empty one, which is the defaults.
///
/// # Errors
/// [`ConfigError`] where the file cannot be read, or is no text.
pub fn read_text(source: &ConfigSource) -> Result<String, ConfigError> {
    match read(&source.path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().iter().take(valid);
            let fault = Fault {
                file: source.file_name(),
                line: before.filter(|byte| **byte == b'\n').count() + 1,
                key: "syntax".to_owned(),
                message: "must be UTF-8 text".to_owned(),
            };
            source.faults(vec![fault])
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !source.named => Ok(String::new()),
        Err(error) => Err(ConfigError::Unreadable {
            path: source.path.clone(),
            details: match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
                io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                _ => error.to_string(),
            },
        }),
    }
}

/// Validates a text as that of a source, whatever stands in its file by now.
///
/// # Errors
/// [`ConfigError::Faults`] with all faults of the text.
pub fn load_text(source: &ConfigSource, text: &str) -> Result<Settings, ConfigError> {
    let parsed = parse(&source.file_name(), text);
    let mut settings = parsed.map_err(|faults| source.faults(faults))?;
    if let Some(folder) = source.path.parent() {
        settle_below(&mut settings, folder);
    }
    Ok(settings)
}

/// Finds what is named relatively beside the configuration, wherever tundra is started.
fn settle_below(settings: &mut Settings, folder: &Path) {
    let tls = settings.remote.tls.iter_mut();
    let named = tls
        .flat_map(|tls| [&mut tls.cert, &mut tls.key])
        .chain(&mut settings.dolt.dir);
    for path in named {
        *path = folder.join(&*path);
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 1MiB"));
    }
    fs::read(path)
}

/// Validates the text of a configuration; `file` is what faults call it.
///
/// # Errors
/// All faults, in the order of their lines.
pub fn parse(file: &str, text: &str) -> Result<Settings, Vec<Fault>> {
    let faults = Faults::new(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', "; ");
        faults.push(offset, "syntax", message);
    }
    let broken_lines: Vec<usize> = errors
        .iter()
        .map(|error| faults.line(error.span().map_or(0, |span| span.start)))
        .collect();

    let settings = read_document(document.get_ref(), &faults);
    let mut list = faults.into_sorted();
    // What the parser made of a broken line is a guess, and so are the faults in it.
    list.retain(|fault| fault.key == "syntax" || !broken_lines.contains(&fault.line));
    match settings {
        Some(settings) if list.is_empty() => Ok(settings),
        _ => Err(list),
    }
}

fn read_document<'d>(document: &'d DeTable<'d>, faults: &'d Faults<'d>) -> Option<Settings> {
    let mut root = Table::root(document, faults);
    let mut prefix = Chord::new(KeyCode::Char('b'), Mods::CTRL);
    let mut general = General {
        shell: Vec::new(),
        theme: ThemeChoice::Auto,
        mouse: true,
        unicode: UnicodeChoice::Auto,
        on_close: OnClose::Detach,
        drain: Duration::from_secs(30),
    };
    root.section("general", |table| {
        read_general(table, &mut general, &mut prefix);
    });
    let mut pty = Pty {
        max_ptys: 10,
        scrollback_lines: 10_000,
        idle_timeout: Duration::ZERO,
        max_lifetime: Duration::ZERO,
        warn_at: 0.8,
        kill_grace: Duration::from_secs(2),
        confine: false,
    };
    root.section("pty", |table| read_pty(table, &mut pty));
    let mut remote = remote::defaults();
    root.section("remote", |table| remote::read(table, &mut remote));
    let mut gateway = gateway::defaults();
    root.section("gateway", |table| {
        gateway::read(table, &mut gateway, &remote);
    });
    let mut breaker = BreakerSettings::default();
    root.section("circuit_breaker", |table| {
        gateway::read_breaker(table, &mut breaker);
    });
    let mut timeouts = Timeouts::default();
    root.section("timeouts", |table| {
        gateway::read_timeouts(table, &mut timeouts);
    });
    breaker.probe_lease = gateway::probe_lease(timeouts);
    let mut logging = Logging {
        level: LogLevel::Info,
        format: LogFormat::Text,
        max_size: 10 << 20,
        keep: 5,
        journald: false,
        otlp_endpoint: None,
    };
    root.section("logging", |table| read_logging(table, &mut logging));
    let mut store = store::store_defaults();
    root.section("store", |table| store::read_store(table, &mut store));
    let mut dolt = store::dolt_defaults();
    root.section("dolt", |table| store::read_dolt(table, &mut dolt));
    let shell = general.shell_command();
    let profiles = match root.item("profile") {
        Some(item) => profile::read_all(&item, &shell),
        None => Vec::new(),
    };
    let mut notify = notices::defaults();
    root.section("notify", |table| notices::read(table, &mut notify));
    let agents = match root.item("agent") {
        Some(item) => agent::read_all(&item, &shell, &built_in_adapters()),
        None => built_in_adapters(),
    };
    let panes = match root.item("pane") {
        Some(item) => read_panes(&item, &shell, pty.max_ptys, &agents),
        None => Vec::new(),
    };
    let keymap = read_keys(&mut root, prefix, faults);
    root.refuse_unknown();
    Some(Settings {
        general,
        pty,
        remote,
        gateway,
        breaker,
        timeouts,
        profiles,
        store,
        dolt,
        logging,
        notify,
        agents,
        panes,
        keymap: keymap?,
    })
}

fn read_general(table: &mut Table<'_>, general: &mut General, prefix: &mut Chord) {
    table.read("shell", &mut general.shell, |item| {
        if !item.is_string() {
            return command_words(item, WORDS_OR_TEXT);
        }
        let line = item.string()?;
        Some(plain_words(line).unwrap_or_else(|| match line.trim() {
            "" => Vec::new(),
            path => vec![path.to_owned()],
        }))
    });
    table.read("theme", &mut general.theme, |item| {
        item.one_of(&[
            ("dark", ThemeChoice::Dark),
            ("light", ThemeChoice::Light),
            ("auto", ThemeChoice::Auto),
        ])
    });
    table.read("prefix", prefix, |item| {
        match item.string()?.parse::<Chord>() {
            Ok(chord) => Some(chord),
            Err(error) => item.fault(error.to_string()),
        }
    });
    table.read("mouse", &mut general.mouse, Item::boolean);
    table.read("unicode", &mut general.unicode, |item| {
        item.one_of(&[
            ("always", UnicodeChoice::Always),
            ("never", UnicodeChoice::Never),
            ("auto", UnicodeChoice::Auto),
        ])
    });
    table.read("on_close", &mut general.on_close, |item| {
        item.one_of(&[("detach", OnClose::Detach), ("quit", OnClose::Quit)])
    });
    table.read("drain", &mut general.drain, |item| item.duration(MAX_GRACE));
}

fn read_pty(table: &mut Table<'_>, pty: &mut Pty) {
    table.read("max_ptys", &mut pty.max_ptys, |item| item.integer(1..=1000));
    table.read("scrollback_lines", &mut pty.scrollback_lines, |item| {
        item.integer(0..=MAX_SCROLLBACK_LINES)
    });
    table.read("idle_timeout", &mut pty.idle_timeout, |item| {
        item.duration(MAX_LIFETIME)
    });
    table.read("max_lifetime", &mut pty.max_lifetime, |item| {
        item.duration(MAX_LIFETIME)
    });
    table.read("warn_at", &mut pty.warn_at, |item| match item.number()? {
        share if share > 0.0 && share <= 1.0 => Some(share),
        _ => item.fault("must be above 0 and at most 1"),
    });
    table.read("kill_grace", &mut pty.kill_grace, |item| {
        item.duration(MAX_GRACE)
    });
    table.read("confine", &mut pty.confine, Item::boolean);
}

fn read_logging(table: &mut Table<'_>, logging: &mut Logging) {
    table.read("level", &mut logging.level, |item| {
        item.one_of(&LogLevel::ALL.map(|level| (level.as_str(), level)))
    });
    table.read("format", &mut logging.format, |item| {
        item.one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)])
    });
    table.read("max_size", &mut logging.max_size, |item| {
        item.size(1 << 10..=1 << 40)
    });
    table.read("keep", &mut logging.keep, |item| item.integer(0..=1000));
    table.read("journald", &mut logging.journald, Item::boolean);
    table.read("otlp_endpoint", &mut logging.otlp_endpoint, |item| {
        profile::base_url(item).map(Some)
    });
}

fn read_panes(
    item: &Item<'_>,
    shell: &[String],
    max_ptys: usize,
    agents: &Adapters,
) -> Vec<PaneSettings> {
    let mut panes: Vec<PaneSettings> = Vec::new();
    let items = item.elements("an array of tables: write [[pane]]");
    for (index, item) in items.into_iter().flatten().enumerate() {
        let Some(mut table) = item.table() else {
            continue;
        };
        if index == max_ptys {
            item.fault::<()>(format!(
                "must be at most {max_ptys} panes, as pty.max_ptys says"
            ));
        }
        let mut pane = PaneSettings::default();
        table.read("name", &mut pane.name, |item| {
            let name = item.string()?;
            if name.trim().is_empty() || name.chars().any(char::is_control) {
                return item.fault("must be a name that can be seen");
            }
            match panes
                .iter()
                .position(|other| other.name.as_deref() == Some(name))
            {
                Some(taken) => item.fault(format!("must differ from the name of pane[{taken}]")),
                None => Some(Some(name.to_owned())),
            }
        });
        table.read("command", &mut pane.command, |item| {
            command_line(item, shell)
        });
        table.read("cwd", &mut pane.cwd, |item| {
            working_directory(item).map(Some)
        });
        table.read("env", &mut pane.env, environment);
        table.read("agent", &mut pane.agent, |item| {
            let names = agents.iter().map(|agent| &agent.name);
            let choices: Vec<_> = names
                .map(|name| (name.as_str(), Some(name.clone())))
                .collect();
            item.one_of(&choices)
        });
        agent::read_budget(&mut table, &mut pane.budget);
        table.read("gateway", &mut pane.gateway, Item::boolean);
        table.read("confine", &mut pane.confine, |item| {
            item.boolean().map(Some)
        });
        table.refuse_unknown();
        panes.push(pane);
    }
    panes
}

fn read_keys(root: &mut Table<'_>, prefix: Chord, faults: &Faults<'_>) -> Option<Keymap> {
    let item = root.item("keys");
    let table = item.as_ref().and_then(Item::table);
    let mut overrides = BTreeMap::new();
    for item in table.iter().flat_map(Table::items) {
        if let Some(chords) = item.string() {
            overrides.insert(item.key.to_owned(), chords.to_owned());
        }
    }
    let conflicts = match Keymap::new(prefix, &overrides) {
        Ok(keymap) => return Some(keymap),
        Err(conflicts) => conflicts,
    };
    for fault in conflicts {
        let place = table
            .iter()
            .flat_map(Table::items)
            .find(|item| item.key == fault.key);
        match place.or_else(|| root.item("general")?.table()?.item("prefix")) {
            Some(item) => {
                item.fault::<()>(fault.message);
            }
            None => faults.push(0, &fault.key, fault.message),
        }
    }
    None
}

#[cfg(test)]
mod tests;
