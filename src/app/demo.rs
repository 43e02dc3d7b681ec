//! `tundra demo`: a home of its own, two simulated providers in this process, and a tundra over them on this terminal.
//!
//! Whatever way it ends, the instance, the providers and the home are gone afterwards. If this process is killed, its
//! client finds no providers any more and ends, and with its last pane the instance does.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::AppError;
use crate::config::Paths;
use crate::control::Client;
use crate::demo::{self, Client as DemoClient, Player, Simulation};
use crate::runtime::proc;
use crate::runtime::signals::Terminations;
use crate::tui::RawInput;

/// The variable that holds the providers' key, which opens nothing.
const KEY: &str = "TUNDRA_DEMO_KEY";
/// What would lead the demonstration's tundra, or its client, elsewhere.
const FOREIGN: [&str; 3] = ["TUNDRA_HOME", "TUNDRA_CONFIG", "TUNDRA_TERMINAL_ID"];
/// How long an instance may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(50);

/// Plays until its user leaves; `program` is tundra itself.
///
/// Returns the exit code of what was shown.
///
/// # Errors
/// [`AppError::Demo`] where there is no place for it; nothing is left then.
pub fn demo(program: &Path) -> Result<i32, AppError> {
    let home = Home::make().map_err(AppError::Demo)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(AppError::Runtime)?;
    let played = runtime.block_on(play(program, &home));
    end_instance(&home.paths()?);
    runtime.shutdown_background();
    played.map_err(AppError::Demo)
}

/// The client in its pane; `show` writes to the terminal.
///
/// # Errors
/// [`AppError::DemoClient`] where it is called outside of the demonstration.
pub fn demo_client(
    providers: String,
    show: impl FnMut(&str) -> io::Result<()>,
) -> Result<(), AppError> {
    let _raw = RawInput::enter().map_err(AppError::Demo)?;
    let size = || {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok();
        size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
    };
    Ok(demo::run(&DemoClient { providers }, size, show)?)
}

async fn play(program: &Path, home: &Home) -> io::Result<i32> {
    let simulation = Simulation::bind().await?;
    fs::create_dir(home.folder.join("config"))?;
    let config = configuration(program, &simulation);
    fs::write(home.folder.join("config/config.toml"), config)?;
    let mut signals = Terminations::catch()?;
    let mut command = Command::new(program);
    command
        .arg("--home")
        .arg(&home.folder)
        .env(KEY, "opens-nothing-at-all");
    for name in FOREIGN {
        command.env_remove(name);
    }
    let child = command.spawn()?;
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or(io::ErrorKind::NotFound)?;
    let mut shown = tokio::task::spawn_blocking(move || wait(pid));
    let serving = simulation.serve();
    tokio::pin!(serving);
    loop {
        tokio::select! {
            () = &mut serving => {}
            ended = &mut shown => return ended.unwrap_or_else(|error| Err(io::Error::other(error))),
            // What shows it leaves with the instance, and as that one ended.
            _ = signals.next() => {
                let paths = home.paths().map_err(io::Error::other)?;
                let _ = tokio::task::spawn_blocking(move || end_instance(&paths)).await;
                let _ = rustix::process::kill_process(pid, Signal::TERM);
            }
        }
    }
}

/// Waits for the program that is shown; one that stops (ctrl-z) stops this process with it, so that the shell is back.
fn wait(pid: Pid) -> io::Result<i32> {
    loop {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED;
        let Some(status) = rustix::process::waitid(WaitId::Pid(pid), options)? else {
            continue;
        };
        if status.stopped() {
            rustix::process::kill_process(rustix::process::getpid(), Signal::STOP)?;
            let _ = rustix::process::kill_process(pid, Signal::CONT);
            continue;
        }
        let signal = status.terminating_signal().map(|signal| 128 + signal);
        return Ok(status.exit_status().or(signal).unwrap_or(1));
    }
}

fn configuration(program: &Path, simulation: &Simulation) -> String {
    let quoted = |text: &str| format!("{text:?}");
    let program = quoted(&program.to_string_lossy());
    let address = quoted(&simulation.address().to_string());
    let mut text = format!(
        "# Made by `tundra demo`, and gone with it.\n\
         [remote]\nenabled = false\n\
         [gateway]\nbind = \"127.0.0.1:0\"\nmax_wait = \"2s\"\naffinity = \"0s\"\n\
         [timeouts]\nfirst_byte = \"3s\"\nstream_idle = \"5s\"\n\
         [circuit_breaker]\nfailure_threshold = 3\ntimeout_threshold = 2\nopen_for = \"10s\"\n\
         [[pane]]\nname = \"client (simulated)\"\ncommand = [{program}, \"demo\", \"--client\", {address}]\n"
    );
    for (player, priority) in Player::ALL.into_iter().zip(1..) {
        let _ = write!(
            text,
            "[[profile]]\nname = {}\nprovider = \"anthropic\"\nbase_url = {}\napi_key_env = \"{KEY}\"\n\
             default_model = \"simulated\"\npriority = {priority}\ncooldown = \"6s\"\n",
            quoted(player.name()),
            quoted(&simulation.base_url(player)),
        );
    }
    text
}

/// A folder that is gone with this value.
struct Home {
    folder: PathBuf,
}

impl Home {
    fn make() -> io::Result<Self> {
        let name = format!("tundra-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Not one that somebody laid there.
        DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    fn paths(&self) -> Result<Paths, AppError> {
        Ok(Paths::find(Some(&self.folder))?)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Ends what still runs in the home: after a detach, or where the program that showed it was killed.
fn end_instance(paths: &Paths) {
    let status = Client::connect(paths).and_then(|client| client.within(ENDS_WITHIN).status());
    let pid = status
        .ok()
        .and_then(|status| Pid::from_raw(status.pid.cast_signed()));
    let Some(pid) = pid else { return };
    let _ = rustix::process::kill_process(pid, Signal::TERM);
    let begun = Instant::now();
    while proc::is_locked(&paths.lock_file()) == Some(true) {
        if begun.elapsed() > ENDS_WITHIN {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            return;
        }
        std::thread::sleep(POLL);
    }
}
