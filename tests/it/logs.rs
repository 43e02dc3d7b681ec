//! The log: its files, what is read of them, and what is logged.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::json;

use crate::support::condition::PATIENCE;
use crate::support::{Home, Serve, eventually};

const QUIET: &str = "[gateway]\nenabled = false\n[remote]\nenabled = false\n";

fn line(second: u32, level: &str, target: &str, text: &str) -> String {
    format!("2026-11-29T10:00:{second:02}.000000Z {level:>5} {target}: {text}\n")
}

/// A home whose log was set aside twice.
fn written() -> Home {
    let home = Home::new();
    fs::create_dir_all(home.path().join("logs")).unwrap();
    let file =
        |name: &str, text: String| fs::write(home.path().join("logs").join(name), text).unwrap();
    file("tundra.log.2", line(1, "INFO", "tundra::app", "first"));
    file(
        "tundra.log.1",
        line(
            2,
            "WARN",
            "task{name=\"a: b\"}: tundra::store::journal",
            "the disk is full",
        ) + &line(3, "DEBUG", "tundra::store::dolt", "tried again"),
    );
    file(
        "tundra.log",
        line(4, "ERROR", "tundra::gateway", "panicked") + &line(5, "TRACE", "hyper", "deep"),
    );
    home
}

fn texts(home: &Home, args: &[&str]) -> Vec<String> {
    let mut command = vec!["logs"];
    command.extend(args);
    let told = home.cli(&command).ok();
    let last = |line: &str| line.rsplit(": ").next().unwrap_or_default().to_owned();
    told.lines().map(last).collect()
}

#[test]
fn what_was_set_aside_is_read_too_without_an_instance_and_with_a_faulty_configuration() {
    let home = written();
    home.configure("[pty]\nmax_ptys = 0\nnonsense = 1\n");
    let all = [
        "first",
        "the disk is full",
        "tried again",
        "panicked",
        "deep",
    ];
    assert_eq!(texts(&home, &[]), all);
    assert_eq!(texts(&home, &["-n", "2"]), ["panicked", "deep"]);
    assert_eq!(texts(&home, &["-n", "0"]), [""; 0]);
    assert_eq!(
        texts(&home, &["--level", "warn"]),
        ["the disk is full", "panicked"]
    );
    assert_eq!(
        texts(&home, &["--target", "tundra::store"]),
        ["the disk is full", "tried again"]
    );
    assert_eq!(
        texts(
            &home,
            &["--level", "debug", "--target", "tundra::", "-n", "2"]
        ),
        ["tried again", "panicked"]
    );
    assert_eq!(
        texts(&home, &["--grep", "disk|deep$"]),
        ["the disk is full", "deep"]
    );
    let told = home.cli(&["logs", "--json", "--level", "error"]).json();
    let expected = json!([{
        "at": "2026-11-29T10:00:04Z", "level": "error", "target": "tundra::gateway", "text": "panicked",
    }]);
    assert_eq!(told, expected);
}

#[test]
fn a_bad_value_is_a_mistake_of_usage_and_an_unused_home_has_no_lines() {
    let home = Home::new();
    assert_eq!(home.cli(&["logs"]).ok(), "");
    assert_eq!(home.cli(&["logs", "--json"]).json(), json!([]));
    for args in [
        ["logs", "--level", "loud"],
        ["logs", "--grep", "("],
        ["logs", "-n", "some"],
        ["logs", "level", "tundra=loud"],
    ] {
        assert_eq!(home.cli(&args).code, 2, "{args:?}");
    }
    let nobody = home.cli(&["logs", "level"]);
    assert_eq!(nobody.code, 3, "{nobody:?}");
    assert_eq!(home.cli(&["logs", "level", "debug"]).code, 3);
}

#[test]
fn what_is_logged_is_changed_while_it_runs_and_the_change_is_logged() {
    let serve = Serve::with_config(QUIET);
    let asked = serve.cli(&["logs", "level"]).ok();
    assert_eq!(asked.trim(), "info,tundra=debug");
    let told = serve.cli(&["logs", "level", "error", "--json"]).json();
    assert_eq!(told, json!({"filter": "error"}));
    let changed = "filter is changed from=\"info,tundra=debug\" to=\"error\" by=\"cli\"";
    eventually("the change is logged", || {
        !texts(&serve.home, &["--grep", changed]).is_empty()
    });
    let opened = |id: &str| {
        texts(
            &serve.home,
            &["--grep", &format!("terminal opened id={id}")],
        )
    };
    let unseen = serve.sh("exit");
    serve.wait_exit(&unseen);
    serve.cli(&["logs", "level", "tundra::pane=info"]).ok();
    let seen = serve.sh("exit");
    eventually("what is asked for is logged", || !opened(&seen).is_empty());
    assert_eq!(opened(&unseen), [""; 0]);
    // A change of the file that leaves the level alone leaves the filter alone.
    serve
        .home
        .configure(&format!("{QUIET}[pty]\nmax_ptys = 7\n"));
    eventually("the change is applied", || {
        serve.cli(&["status", "--json"]).json()["pool"]["max"] == 7
    });
    assert_eq!(
        serve.cli(&["logs", "level"]).ok().trim(),
        "tundra::pane=info"
    );
    serve
        .home
        .configure(&format!("{QUIET}[logging]\nlevel = \"warn\"\n"));
    eventually("the level of the file holds", || {
        serve.cli(&["logs", "level"]).ok().trim() == "warn"
    });
}

/// A command whose lines come as they are written.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut child = home.tundra(args).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_log_is_followed_through_its_being_set_aside() {
    let quiet = format!("{QUIET}[logging]\nmax_size = \"1KiB\"\nkeep = 50\n");
    let serve = Serve::with_config(&quiet);
    let opened = r"terminal opened id=\S+ pid=";
    let grep = ["logs", "-f", "-n", "0", "--grep", opened];
    let following = Following::start(&serve.home, &grep);
    let mut ids = Vec::new();
    // The first one may be logged before the command looks.
    let first = eventually("it follows", || {
        ids.push(serve.sh("exit"));
        following.lines.try_recv().ok()
    });
    let from = ids.iter().position(|id| first.contains(id)).unwrap();
    for _ in 0..10 {
        ids.push(serve.sh("exit"));
    }
    for id in &ids[from + 1..] {
        let line = following.next();
        assert!(line.contains(id), "{line}");
    }
    assert!(serve.home.path().join("logs/tundra.log.2").exists());
    let told = texts(&serve.home, &["--grep", opened]);
    assert_eq!(told.len(), ids.len());
}
