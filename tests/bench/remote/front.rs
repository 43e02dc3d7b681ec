//! tundra with its front end, so that there is a local pane whose keys are timed while viewers watch another one.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::arm::{self, Arm};
use crate::files::{Scratch, write_script};
use crate::options::Options;
use crate::outer::Outer;
use crate::process::{instance, pss_kib, stop};
use crate::viewer::Place;

/// Between two keys.
const KEY_EVERY: Duration = Duration::from_millis(30);

/// Floods between two lines in its fifo, and then says that it is current. A read may still meet the end of the line
/// before it, and tries again.
const FLOOD: &str = "mkfifo go; printf READY; read x < go; yes & until read x < go; do :; done; kill $!; wait; \
                     printf '\\n@CUR''RENT@'; exec cat >/dev/null";

pub struct Front {
    outer: Outer,
    folder: PathBuf,
    pub flood: Place,
}

impl Front {
    /// A local pane that echoes, and a terminal behind it that is to flood.
    pub fn start(arm: Arm, options: &Options, scratch: &Scratch) -> Self {
        let folder = arm::fresh_folder(scratch);
        arm::configure(&folder);
        write_script(&folder.join("s.sh"), FLOOD);
        let mut command = arm::clean(&options.tundra, &folder);
        command.args([
            "--",
            "sh",
            "-c",
            "stty raw echo; printf SHOWN; exec cat >/dev/null",
        ]);
        let (outer, shown) = Outer::start(command, "SHOWN");
        shown.wait("the local pane");
        let status = arm::clean(&options.tundra, &folder)
            .args(["status", "--json"])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let address = arm::address_of(status["remote"]["url"].as_str().unwrap());
        let token = arm::token(&folder);
        let id = arm::open_terminal(address, &token, &folder);
        let flood = Place {
            arm,
            address,
            path: format!("/ws/terminal/{id}"),
            token,
        };
        Self {
            outer,
            folder,
            flood,
        }
    }

    /// Lets the flood begin, or end. Waits until its shell is there to be told.
    pub fn go(&self) {
        fs::write(self.folder.join("go"), "go\n").unwrap();
    }

    pub fn pss_kib(&self) -> u64 {
        pss_kib(instance(&self.folder))
    }

    /// Milliseconds from key to echo in the local pane, for as long as `time` or for so many keys, whichever is longer.
    pub fn echo(&mut self, keys: usize, time: Duration) -> Vec<f64> {
        let mut times = Vec::with_capacity(keys);
        let start = Instant::now();
        let mut next = start;
        for key in ('a'..='z').cycle() {
            if times.len() >= keys && start.elapsed() >= time {
                break;
            }
            next += KEY_EVERY;
            thread::sleep(next.saturating_duration_since(Instant::now()));
            let awaited = self.outer.watch_for(&key.to_string());
            let struck = Instant::now();
            self.outer.type_(&key.to_string());
            let seen = awaited.wait("the echo of a key");
            times.push((seen.at - struck).as_secs_f64() * 1000.0);
            next = next.max(Instant::now().checked_sub(KEY_EVERY).unwrap());
        }
        times
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        stop(&self.folder);
        let _ = self.outer.child.wait();
    }
}
