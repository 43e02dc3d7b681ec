//! The definition of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueHint};

use super::output::ColorChoice;
use super::{
    agents, ask, attach, budget, capture, complete, completions, config, demo, detach, doctor,
    explain, history, kill, launch, logs, ls, new, providers, rename, resize, resume, send, status,
    steer, stop, store, upgrade, url, usage, wait,
};

pub const EXAMPLES: &str = "\
Examples:
  tundra                                   your shell in a pane, or what runs already; ctrl-b ? shows the keys
  tundra detach                            leaves the terminal; ctrl-b d does, too, and tundra brings it back
  tundra -- claude                         the first pane runs claude
  tundra serve                             the same without a screen, for scripts
  tundra new --name build -- make -j4      opens a terminal and prints its id
  tundra send build --key C-c              types into it
  tundra wait build --text 'done|error'    until its text matches
  tundra capture build                     prints its screen
  tundra failover                          requests go to the next provider
";

/// The version, with the commit where the build was told it.
fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("TUNDRA_COMMIT") {
        Some(commit) => format!("{} ({commit})", super::version()),
        None => super::version().to_owned(),
    });
    &VERSION
}

/// Terminal panes for coding agents
#[derive(Debug, Default, Parser)]
#[command(name = "tundra", version = version(), before_help = EXAMPLES, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub globals: Globals,
    /// Say whether this program could go on in the place of one that runs
    #[arg(long, hide = true)]
    pub can_resume: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
    // The heading that the flattened ones have is theirs alone.
    /// Start without what an instance has left that ended without being asked to
    #[arg(long, help_heading = None::<&'static str>)]
    pub fresh: bool,
    /// What a pane of its own runs, after `--`; without it the configured panes, else your shell
    #[arg(last = true, value_name = "CMD", help_heading = None::<&'static str>, add = complete::program())]
    pub run: Vec<String>,
}

#[derive(Debug, Default, ClapArgs)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    // Not by clap's `env`: a variable that is set would turn up in every usage line.
    /// Keep everything in one folder: DIR/config/config.toml, DIR/data, DIR/state, DIR/logs, DIR/run [env: `TUNDRA_HOME`]
    #[arg(long, global = true, display_order = 900, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub home: Option<PathBuf>,
    /// Read this configuration file [env: `TUNDRA_CONFIG`]
    #[arg(long, global = true, display_order = 900, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Use colours; auto: on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, display_order = 900, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

impl Args {
    /// A bare `tundra`, or one with nothing but what a pane runs. To define the whole command line for the parser takes a
    /// fifth of the time that passes until a running instance is shown. None for what the parser has to look at.
    pub fn without_parser(arguments: &[OsString]) -> Option<Self> {
        let run = match arguments {
            [_] => Vec::new(),
            [_, dashes, run @ ..] if dashes == "--" => run
                .iter()
                .map(|argument| argument.to_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            _ => return None,
        };
        Some(Self {
            run,
            ..Self::default()
        })
    }
}

/// `--json`, on every command that asks the running instance.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Json {
    /// Answer, and fail, in JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the terminal that shows tundra leave it; everything goes on
    #[command(before_help = "Example:\n  tundra detach")]
    Detach(detach::Detach),
    /// End tundra; refused while programs run
    #[command(before_help = "Examples:\n  tundra stop\n  tundra stop --force")]
    Stop(stop::Stop),
    /// Run in the foreground without a terminal until SIGINT or SIGTERM; `tundra` can show it and leave it again
    #[command(before_help = "Example:\n  tundra serve --print-ready")]
    Serve(launch::Serve),
    /// Go on as another program, this one or a newer version, without ending anything
    #[command(
        before_help = "Examples:\n  tundra upgrade\n  tundra upgrade --binary ./target/release/tundra"
    )]
    Upgrade(upgrade::Upgrade),
    /// Go on in the place of another program
    #[command(hide = true)]
    Resume(resume::ResumeArgs),
    /// List the terminals
    #[command(before_help = "Example:\n  tundra ls --json")]
    Ls(ls::Ls),
    /// Open a terminal and print its id
    #[command(
        before_help = "Examples:\n  tundra new --name build -- make -j4\n  tundra new --agent claude --budget-usd 5"
    )]
    New(new::New),
    /// Type into a terminal, without TEXT what stands on stdin
    #[command(
        before_help = "Examples:\n  tundra send build --enter 'make test'\n  tundra send build --key C-c\n  tundra send agent --paste < notes.txt"
    )]
    Send(send::Send),
    /// Print a terminal's screen
    #[command(before_help = "Example:\n  tundra capture build --scrollback")]
    Capture(capture::Capture),
    /// Give a terminal another size
    #[command(before_help = "Example:\n  tundra resize build 120x40")]
    Resize(resize::Resize),
    /// Give a terminal another name
    #[command(before_help = "Example:\n  tundra rename build tests")]
    Rename(rename::Rename),
    /// End a terminal and wait until it is gone; one that has ended is no error
    #[command(before_help = "Example:\n  tundra kill build")]
    Kill(kill::Kill),
    /// Wait for a terminal's text, state or end
    #[command(
        before_help = "Examples:\n  tundra wait build --text 'done|error' --timeout 5m\n  tundra wait agent --state waiting"
    )]
    Wait(wait::Wait),
    /// List the agents: found where, which version, and whether their requests are seen
    #[command(before_help = "Example:\n  tundra agents --json")]
    Agents(agents::Agents),
    /// Tell or change what a terminal's requests may use
    #[command(
        before_help = "Examples:\n  tundra budget claude\n  tundra budget claude --usd 5\n  tundra budget claude --off"
    )]
    Budget(budget::Budget),
    /// Look at a terminal here, and type into it
    #[command(before_help = "Example:\n  tundra attach build --read-only")]
    Attach(attach::Attach),
    /// Print an address for a browser, with a token that is good for one login within ten minutes
    #[command(before_help = "Example:\n  tundra url build")]
    Url(url::Url),
    /// List the providers and how each stands
    #[command(before_help = "Example:\n  tundra providers --json")]
    Providers(providers::Providers),
    /// Send requests to the next provider for a while
    #[command(before_help = "Example:\n  tundra failover --from anthropic --for 30m")]
    Failover(steer::Failover),
    /// Prefer one provider until unpinned
    #[command(before_help = "Example:\n  tundra pin openrouter")]
    Pin(steer::Named),
    /// Prefer none, and let no login's requests cost money any longer
    #[command(before_help = "Example:\n  tundra unpin")]
    Unpin(steer::Unpin),
    /// Start afresh with a provider: connections, key, breaker, and the server where tundra runs it, which it waits for up to two minutes
    #[command(before_help = "Example:\n  tundra restart local")]
    Restart(steer::Named),
    /// Close a provider's breaker and end its cooldown and hold
    #[command(before_help = "Example:\n  tundra reset anthropic")]
    Reset(steer::Named),
    /// Let a provider take requests again
    #[command(before_help = "Example:\n  tundra enable local")]
    Enable(steer::Named),
    /// Send a provider no more requests
    #[command(before_help = "Example:\n  tundra disable local")]
    Disable(steer::Named),
    /// Send one prompt to whoever can answer it
    #[command(before_help = "Example:\n  tundra ask --profile local 'say hello'")]
    Ask(ask::Ask),
    /// Show the running instance in one look
    #[command(before_help = "Example:\n  tundra status --json")]
    Status(status::Status),
    /// Show what was asked of whom, and what it cost
    #[command(
        before_help = "Examples:\n  tundra usage --since 7d --by day\n  tundra usage --by pane --json"
    )]
    Usage(usage::Usage),
    /// Show what happened: failovers, breakers, terminals, viewers
    #[command(
        before_help = "Examples:\n  tundra history --kind provider --since 2h\n  tundra history --follow --json"
    )]
    History(history::History),
    /// Show the log, the newest line last, and what was set aside too
    #[command(
        before_help = "Examples:\n  tundra logs -f --level warn\n  tundra logs -n 50 --target tundra::gateway --grep 'status=5..'\n  tundra logs level info,tundra::store=trace"
    )]
    Logs(logs::Logs),
    /// Watch failover without an account: two simulated providers, a client, and faults on keys
    #[command(before_help = "Example:\n  tundra demo")]
    Demo(demo::Demo),
    /// Check everything that is checked by hand when something is wrong; exit code 1 where something fails
    #[command(
        before_help = "Examples:\n  tundra doctor\n  tundra doctor --offline --json\n  tundra doctor --bundle tundra.tar.gz --redact-names"
    )]
    Doctor(doctor::Doctor),
    /// Explain an error: what it means, where it comes from, what helps
    #[command(
        before_help = "Examples:\n  tundra explain AtCapacity\n  tundra explain 'circuit is open – refusing call'\n  tundra explain 429\n  tundra explain --json"
    )]
    Explain(explain::Explain),
    /// Look after the journal and its versioned copy in Dolt
    #[command(
        before_help = "Examples:\n  tundra store status\n  tundra store export --since 7d > journal.jsonl"
    )]
    Store(store::Store),
    /// Show, check and explain the configuration
    #[command(before_help = "Example:\n  tundra config check")]
    Config(config::Config),
    /// Print a shell's completions
    #[command(
        before_help = "Examples:\n  tundra completions zsh > ~/.zfunc/_tundra\n  tundra completions bash > ~/.local/share/bash-completion/completions/tundra\n  tundra completions fish > ~/.config/fish/completions/tundra.fish"
    )]
    Completions(completions::Completions),
    /// Print the manual page
    #[command(before_help = "Example:\n  tundra man | man -l -")]
    Man,
}

impl Command {
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Detach(args) => args.json.json,
            Self::Stop(args) => args.json.json,
            Self::Upgrade(args) => args.json.json,
            Self::Ls(args) => args.json.json,
            Self::New(args) => args.json.json,
            Self::Send(args) => args.json.json,
            Self::Capture(args) => args.json.json,
            Self::Resize(args) => args.json.json,
            Self::Rename(args) => args.json.json,
            Self::Kill(args) => args.json.json,
            Self::Wait(args) => args.json.json,
            Self::Agents(args) => args.json.json,
            Self::Budget(args) => args.json.json,
            Self::Status(args) => args.json.json,
            Self::Url(args) => args.json.json,
            Self::Providers(args) => args.json.json,
            Self::Failover(args) => args.json.json,
            Self::Unpin(args) => args.json.json,
            Self::Pin(args)
            | Self::Restart(args)
            | Self::Reset(args)
            | Self::Enable(args)
            | Self::Disable(args) => args.json.json,
            Self::Usage(args) => args.json.json,
            Self::History(args) => args.json.json,
            Self::Logs(args) => args.wants_json(),
            Self::Doctor(args) => args.json.json,
            Self::Explain(args) => args.json.json,
            Self::Store(args) => args.command.wants_json(),
            Self::Config(args) => args.command.wants_json(),
            Self::Serve(_)
            | Self::Demo(_)
            | Self::Resume(_)
            | Self::Attach(_)
            | Self::Ask(_)
            | Self::Completions(_)
            | Self::Man => false,
        }
    }
}
