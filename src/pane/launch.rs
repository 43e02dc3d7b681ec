//! From what somebody asked for to a program that can be started: lookup, working directory, environment.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::confine::{LEADING_VARIABLES, Plan};
use super::error::PaneError;
use super::launch_env::{LaunchEnv, LaunchEnvLease, LaunchRequest};
use super::options::PrivateFolders;
use super::pty::Program;
use crate::domain::REMOTE_TOKEN_VARIABLE;
use crate::domain::adapter::{Adapter, Adapters};
use crate::domain::agent::{Agent, AgentTraits};
use crate::domain::id::TerminalId;
use crate::domain::terminal::TerminalSpec;
use crate::runtime::{programs, secrets};

/// Variables of the outer terminal or multiplexer that would mislead a program inside a pane.
const OUTER_ONLY: &[&str] = &[
    "ALACRITTY_LOG",
    "ALACRITTY_SOCKET",
    "ALACRITTY_WINDOW_ID",
    "COLUMNS",
    "GHOSTTY_RESOURCES_DIR",
    "INSIDE_EMACS",
    "ITERM_SESSION_ID",
    "KITTY_PID",
    "KITTY_WINDOW_ID",
    "KONSOLE_VERSION",
    "LC_TERMINAL",
    "LC_TERMINAL_VERSION",
    "LINES",
    "STY",
    "TERMCAP",
    "TERMINAL_EMULATOR",
    "TERMINFO",
    "TERM_SESSION_ID",
    "TMUX",
    "TMUX_PANE",
    "VTE_VERSION",
    "WEZTERM_EXECUTABLE",
    "WEZTERM_PANE",
    "WEZTERM_UNIX_SOCKET",
    "WINDOW",
    "WINDOWID",
    "WT_SESSION",
    "XTERM_VERSION",
    "ZELLIJ",
    "ZELLIJ_PANE_ID",
    "ZELLIJ_SESSION_NAME",
];

/// A terminal's command and program as they will be started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// As asked for, or the shell or agent that stands for nothing asked.
    pub command: Vec<String>,
    pub program: Program,
    pub agent: Option<Agent>,
    pub traits: AgentTraits,
}

/// Where a launch takes from what the request leaves open.
#[derive(Clone, Debug)]
pub(super) struct Defaults<'a> {
    pub shell: &'a [String],
    pub agents: &'a Adapters,
    pub env: &'a [(String, OsString)],
    pub open_files: Option<(u64, u64)>,
    pub confine: bool,
    pub private: &'a PrivateFolders,
    pub env_lease: &'a LaunchEnvLease,
}

/// Looks everything up that a spawn would stumble over.
///
/// # Errors
/// [`PaneError::SpawnFailed`] naming what is missing: the binary is not found, not executable or a folder, or the
/// working directory does not exist. [`PaneError::UnknownAgent`] where nothing is known of the agent.
pub(super) fn prepare(
    id: TerminalId,
    spec: &TerminalSpec,
    defaults: &Defaults<'_>,
) -> Result<Launch, PaneError> {
    let asked = spec.agent.as_ref().map(|name| defaults.agents.get(name));
    let asked = asked.transpose()?;
    let command = command_of(spec, asked, defaults.shell);
    let Some((name, args)) = command.split_first() else {
        return Err(PaneError::SpawnFailed(
            "no command was given and no shell is known".into(),
        ));
    };
    let cwd = working_directory(spec.cwd.as_deref())?;
    let runs = defaults.agents.of_command(&command);
    let agent = asked.or(runs);
    let extra = defaults.env_lease.launch_env(LaunchRequest {
        agent,
        gateway: spec.gateway && agent.is_none_or(|adapter| adapter.gateway),
        budget: spec
            .budget
            .or(agent.map(|adapter| adapter.budget).unwrap_or_default()),
    });
    let of_agent = agent.and_then(|adapter| adapter.confine);
    let confine = spec.confine.or(of_agent).unwrap_or(defaults.confine);
    let confinement = confine
        .then(|| Plan::new(defaults.private, &cwd))
        .transpose()?;
    let mut env = environment(id, defaults.env, &extra, &spec.env);
    if confine {
        env.retain(|(name, _)| !LEADING_VARIABLES.iter().any(|leading| name == leading));
    }
    let search = env
        .iter()
        .find(|(key, _)| key == "PATH")
        .map(|(_, value)| value.clone());
    let search = programs::search_path(search);
    let args = arguments(
        spec,
        agent.filter(|_| runs == agent),
        asked,
        args,
        &extra.args,
    );
    let path = programs::find(name, &search, &cwd)?;
    programs::check_interpreter(name, &path, &cwd)?;
    let program = Program {
        path,
        args,
        cwd,
        env,
        open_files: defaults.open_files,
        confinement,
    };
    Ok(Launch {
        agent: agent.map(|adapter| {
            let now = Timestamp::now();
            Agent::new(adapter.name.clone(), now, extra.is_observed)
        }),
        traits: agent
            .map(|adapter| adapter.traits.clone())
            .unwrap_or_default(),
        command,
        program,
    })
}

/// What follows the program's name. What an agent is to get besides goes after its own command, or right after the name of
/// its program where somebody else wrote the command; a shell that will start the agent later would take it for its own.
fn arguments(
    spec: &TerminalSpec,
    runs: Option<&Adapter>,
    asked: Option<&Adapter>,
    given: &[String],
    extra: &[String],
) -> Vec<String> {
    let of_adapter = spec.command.is_empty();
    let adapter = if of_adapter {
        asked.filter(|adapter| !adapter.command.is_empty())
    } else {
        runs
    };
    let Some(adapter) = adapter else {
        return given.to_vec();
    };
    // Who started it so that it goes on with a conversation has said it already.
    let is_told = given
        .windows(adapter.resume_args.len().max(1))
        .any(|words| words == adapter.resume_args);
    let resume = adapter
        .resume_args
        .iter()
        .filter(|_| spec.resume && !is_told);
    let extra = extra.iter().chain(resume);
    let own = if of_adapter {
        given.len()
    } else {
        // What runs it keeps its own words before those.
        Some(adapter.own_words())
            .filter(|own| given.starts_with(own))
            .map_or(0, <[String]>::len)
    };
    let (own, rest) = given.split_at(own);
    own.iter().chain(extra).chain(rest).cloned().collect()
}

fn command_of(spec: &TerminalSpec, agent: Option<&Adapter>, shell: &[String]) -> Vec<String> {
    let agents_own = agent.map_or(&[][..], |agent| &agent.command);
    [&spec.command, agents_own, shell]
        .into_iter()
        .find(|command| !command.is_empty())
        .unwrap_or_default()
        .to_vec()
}

fn working_directory(asked: Option<&Path>) -> Result<PathBuf, PaneError> {
    let failed = |path: &Path, why: &str| {
        PaneError::SpawnFailed(format!("working directory {}: {why}", path.display()))
    };
    let path = match asked {
        Some(path) => path.to_owned(),
        // Tundra's own folder may have been deleted under it; a shell at the root is better than none.
        None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => Ok(path),
        Ok(_) => Err(failed(&path, "is not a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(failed(&path, "does not exist"))
        }
        Err(error) => Err(failed(&path, &error.to_string())),
    }
}

fn environment(
    id: TerminalId,
    common: &[(String, OsString)],
    extra: &LaunchEnv,
    asked: &[(String, String)],
) -> Vec<(OsString, OsString)> {
    let kept = secrets::kept_from_children();
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(name, _)| !OUTER_ONLY.iter().any(|outer| OsStr::new(outer) == name))
        .filter(|(name, _)| name != REMOTE_TOKEN_VARIABLE)
        .filter(|(name, _)| !name.to_str().is_some_and(|name| kept.contains(name)))
        .filter(|(name, _)| {
            !extra
                .without
                .iter()
                .any(|secret| OsStr::new(secret) == name)
        })
        .collect();
    let mut set = |name: &str, value: &OsStr| {
        env.retain(|(existing, _)| existing != name);
        env.push((name.into(), value.to_owned()));
    };
    set("TERM", OsStr::new("xterm-256color"));
    set("COLORTERM", OsStr::new("truecolor"));
    set("TERM_PROGRAM", OsStr::new("tundra"));
    set(
        "TERM_PROGRAM_VERSION",
        OsStr::new(env!("CARGO_PKG_VERSION")),
    );
    for (name, value) in common.iter().chain(&extra.env) {
        set(name, value);
    }
    for (name, value) in asked {
        set(name, OsStr::new(value));
    }
    // Set last: a terminal's identity is not for a caller to change.
    set("TUNDRA_TERMINAL_ID", OsStr::new(&id.to_string()));
    env
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::budget::Budget;
    use crate::domain::size::Size;
    use crate::domain::terminal::Owner;
    use crate::pane::LaunchEnvSource;

    fn spec(command: &[&str]) -> TerminalSpec {
        TerminalSpec {
            confine: None,
            resume: false,
            budget: Budget::default(),
            name: None,
            command: command.iter().map(ToString::to_string).collect(),
            cwd: None,
            env: Vec::new(),
            size: Size::DEFAULT,
            persistent: false,
            agent: None,
            gateway: true,
            owner: Owner::Local,
        }
    }

    fn agents() -> Adapters {
        let row = |name: &str, command: &[&str]| Adapter {
            command: command.iter().map(ToString::to_string).collect(),
            resume_args: vec!["--continue".to_owned()],
            ..Adapter::new(name.into())
        };
        Adapters::new([row("codex", &["codex", "--own"]), row("shell", &[])])
    }

    fn failure(spec: &TerminalSpec) -> String {
        let defaults = Defaults {
            shell: &["/bin/sh".to_owned()],
            agents: &agents(),
            env: &[],
            open_files: None,
            confine: false,
            private: &PrivateFolders::default(),
            env_lease: &LaunchEnvLease::new(None, TerminalId::random()),
        };
        match prepare(TerminalId::random(), spec, &defaults) {
            Ok(launch) => format!("it would start {}", launch.program.path.display()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_cannot_be_started_is_named_before_the_fork() {
        let cases = [
            (
                &["no-such-binary"] as &[&str],
                "no-such-binary: not found in PATH",
            ),
            (&["/no/such/binary"], "/no/such/binary: not found"),
            (&["/etc/passwd"], "/etc/passwd: not executable"),
            (&["/tmp"], "/tmp: is a folder"),
            (&[""], "the command is empty"),
        ];
        for (command, expected) in cases {
            assert_eq!(
                failure(&spec(command)),
                format!("pty spawn failed: {expected}")
            );
        }
    }

    #[test]
    fn a_missing_working_directory_is_named() {
        let mut spec = spec(&["sh"]);
        spec.cwd = Some("/no/such/folder".into());
        assert_eq!(
            failure(&spec),
            "pty spawn failed: working directory /no/such/folder: does not exist"
        );
    }

    #[test]
    fn a_script_whose_interpreter_cannot_run_is_told_with_the_interpreter() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let script = folder.join("script");
        let script = script.to_str().unwrap();
        for (text, expected) in [
            ("#!/no/such -x\n", "its interpreter /no/such: not found"),
            ("#! /tmp\n", "its interpreter /tmp: is a folder"),
            (
                "#!/etc/passwd\n",
                "its interpreter /etc/passwd: not executable",
            ),
            ("#!/bin/sh\r\n", "its interpreter /bin/sh\\r: not found"),
            ("#!/bin/sh -e\n", ""),
            ("#!\n", ""),
            ("echo without one\n", ""),
        ] {
            std::fs::write(script, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(script, mode).unwrap();
            let expected = if expected.is_empty() {
                format!("it would start {script}")
            } else {
                format!("pty spawn failed: {script}: {expected}")
            };
            assert_eq!(failure(&spec(&[script])), expected, "{text:?}");
        }
    }

    #[derive(Debug)]
    struct Codex;

    impl LaunchEnvSource for Codex {
        fn launch_env(&self, _: TerminalId, request: LaunchRequest<'_>) -> LaunchEnv {
            let agent = request.agent;
            let is_codex = agent.is_some_and(|agent| agent.name.as_str() == "codex");
            LaunchEnv {
                is_observed: true,
                env: vec![("OUTFIT".to_owned(), "given".into())],
                args: is_codex.then(|| "-c".to_owned()).into_iter().collect(),
                without: vec!["PATH".to_owned()],
            }
        }

        fn ended(&self, _: TerminalId) {}
    }

    #[test]
    fn a_launch_env_adds_and_takes_away_and_leaves_shells_their_arguments() {
        let launched = |command: &[&str], agent| {
            let mut spec = spec(command);
            spec.agent = agent;
            let id = TerminalId::random();
            let defaults = Defaults {
                shell: &[],
                agents: &agents(),
                env: &[],
                open_files: None,
                confine: false,
                private: &PrivateFolders::default(),
                env_lease: &LaunchEnvLease::new(Some(Arc::new(Codex)), id),
            };
            prepare(id, &spec, &defaults).unwrap().program
        };
        let program = launched(&["sh", "-x"], Some("codex".into()));
        assert_eq!(program.args, ["-x"]);
        let value = |name: &str| program.env.iter().find(|(key, _)| key == name);
        assert_eq!(value("OUTFIT").unwrap().1, "given");
        assert_eq!(value("PATH"), None);
    }

    #[test]
    fn what_an_agent_gets_besides_goes_after_its_own_command_or_its_programs_name() {
        let agents = agents();
        let codex = agents.get(&"codex".into()).unwrap();
        let shell = agents.get(&"shell".into()).unwrap();
        let own = |text: &str| vec![text.to_owned()];
        let all = |asked: &[&str], adapter, runs, given: &str, resume| {
            let spec = TerminalSpec {
                resume,
                ..spec(asked)
            };
            arguments(&spec, runs, Some(adapter), &own(given), &own("-c"))
        };
        let with = |asked: &[&str], given, resume| all(asked, codex, Some(codex), given, resume);
        assert_eq!(with(&[], "--own", false), ["--own", "-c"]);
        assert_eq!(with(&[], "--own", true), ["--own", "-c", "--continue"]);
        assert_eq!(with(&["codex", "exec"], "exec", false), ["-c", "exec"]);
        let resumed = with(&["codex", "--continue"], "--continue", true);
        assert_eq!(resumed, ["-c", "--continue"], "not told twice");
        assert_eq!(all(&["sh", "-x"], codex, None, "-x", true), ["-x"]);
        assert_eq!(all(&[], shell, None, "-l", true), ["-l"]);
    }

    #[test]
    fn nothing_asked_is_the_agents_command_and_without_one_the_shell() {
        let agents = agents();
        let command = |asked: &[&str], agent: &str| {
            let agent = agents.get(&agent.into()).ok();
            command_of(&spec(asked), agent, &["/bin/sh".to_owned()])
        };
        assert_eq!(command(&["vi"], "codex"), ["vi"]);
        assert_eq!(command(&[], "codex"), ["codex", "--own"]);
        assert_eq!(command(&[], "shell"), ["/bin/sh"]);
        assert_eq!(command(&[], ""), ["/bin/sh"]);
    }

    #[test]
    fn an_agent_that_nobody_knows_is_told_with_those_there_are() {
        let mut spec = spec(&["sh"]);
        spec.agent = Some("clod".into());
        assert_eq!(
            failure(&spec),
            "\"clod\" is not an agent: use codex or shell"
        );
    }

    #[test]
    fn the_path_of_the_terminal_decides_not_tundras_own() {
        let mut spec = spec(&["sh"]);
        spec.env.push(("PATH".into(), "/no/such/folder".into()));
        assert_eq!(failure(&spec), "pty spawn failed: sh: not found in PATH");
    }
}
