//! The configuration, folders and the command line.

use super::entry::{Explanation, Group, Severity};

pub(super) const TABLE: &[Explanation] = &[
    Explanation {
        name: "ConfigError",
        aliases: &["Config", "InvalidConfiguration"],
        codes: &["config"],
        texts: &[
            "config error: <file>:<line>: <key>: <what would be right>",
            "config error: <details>",
        ],
        group: Group::Configuration,
        severity: Severity::Error,
        meaning: "The configuration is refused: an unknown key, a wrong type, or a value that cannot be. All faults are told at once. \
                  While tundra runs the last good configuration goes on.",
        symptoms: &[
            "exit 2 at the start, with file and line",
            "a notice that a change was not applied",
        ],
        causes: &[
            "a slip",
            "a key of another version",
            "the file cannot be read",
        ],
        cures: &[
            "the message says what would be right",
            "tundra config check",
            "tundra config print-default shows every key",
        ],
        prevention: &["tundra config check after each edit"],
        log_target: "tundra::config",
    },
    Explanation {
        name: "Paths",
        aliases: &["FolderUnusable", "Foreign", "Writable"],
        codes: &["paths"],
        texts: &[
            "the folder <path> cannot be used: <details>",
            "the folder <path> belongs to user <owner>, not to you (user <me>): take another with --home DIR",
            "the folder <path> (of user <owner>) can be written to by others (mode <mode>): look at what is in it, then chmod \
             go-w it",
            "the lock <path> cannot be taken: <details>",
        ],
        group: Group::Configuration,
        severity: Severity::Error,
        meaning: "A folder of tundra's cannot be used: it cannot be made, belongs to somebody else, or others may write to it, who \
                  could then say what tundra runs.",
        symptoms: &["tundra exits 1 and names a folder"],
        causes: &[
            "sudo made it once",
            "a wide umask",
            "a read-only or full disk",
        ],
        cures: &[
            "tundra doctor: paths.rights names each; --fix closes what is yours",
            "chown it, or another one with --home DIR",
        ],
        prevention: &["never sudo tundra"],
        log_target: "tundra::app",
    },
    Explanation {
        name: "NoHome",
        aliases: &[],
        codes: &["no_home"],
        texts: &[
            "there is no home directory: set HOME, or say where to keep tundra's files with --home DIR",
        ],
        group: Group::Configuration,
        severity: Severity::Error,
        meaning: "Neither HOME nor the account says where files go.",
        symptoms: &["exit 2 in a container or a unit"],
        causes: &["HOME is not set"],
        cures: &["set HOME, or tundra --home DIR, or TUNDRA_HOME"],
        prevention: &["TUNDRA_HOME in the unit or the image"],
        log_target: "tundra::app",
    },
    Explanation {
        name: "ImportFailed",
        aliases: &["Import"],
        codes: &["import"],
        texts: &[
            "<dir> has neither api_profiles.json nor harness.toml, in itself or in its folder config",
            "<path> cannot be read: <details>",
            "these profiles are configured already: <names>; rename or remove them first",
            "what was read cannot be a configuration: <faults>",
            "<file> cannot be changed: <details>",
        ],
        group: Group::Configuration,
        severity: Severity::Error,
        meaning: "Nothing was taken over from the predecessor's folder; the configuration is as it was.",
        symptoms: &["tundra config import exits 1"],
        causes: &[
            "another folder than ~/.auto-tundra",
            "a name that is configured already",
        ],
        cures: &[
            "tundra config import DIR --dry-run shows what would come",
            "rename the profile that is there",
        ],
        prevention: &["import once"],
        log_target: "tundra::config",
    },
    Explanation {
        name: "Usage",
        aliases: &["UnknownCommand"],
        codes: &["usage", "exit 2"],
        texts: &[
            "there is no command <given>",
            "unexpected argument '<given>' found",
            "invalid value '<given>' for '<argument>'",
            "the following required arguments were not provided",
            "the prompt is empty",
            "there is nothing to type: give TEXT, --key or --enter, or send something to stdin",
            "the token was not sent; use <address>",
            "no error is known by <given>",
            "<given> is no filter (<details>)",
            "a value is required for '<argument>' but none was supplied",
            "the argument '<argument>' cannot be used with '<argument>'",
            "unrecognized subcommand '<given>'",
        ],
        group: Group::Configuration,
        severity: Severity::Error,
        meaning: "The command line cannot be understood. Exit code 2 says so, as it does for a refused configuration and where a \
                  terminal is needed and there is none.",
        symptoms: &["exit 2"],
        causes: &["a slip in a command, a flag or a value"],
        cures: &["tundra --help, tundra COMMAND --help: each opens with an example"],
        prevention: &["tundra completions SHELL"],
        log_target: "tundra::app",
    },
];
