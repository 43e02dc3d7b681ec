//! Commands that are under way, and those that come meanwhile.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde_json::{Value, json};

use super::upgrade;
use crate::support::Serve;
use crate::support::condition::PATIENCE;

/// A command that goes on, and its lines as they come.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(serve: &Serve, args: &[&str]) -> Self {
        let mut command = serve.home.tundra(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (send, lines) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Self { child, lines }
    }

    /// Reads until a line has a text; the lines that came with it.
    #[track_caller]
    fn until(&self, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            let is_it = line.contains(text);
            all.push(line);
            if is_it {
                return all;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn whoever_follows_history_and_log_follows_on() {
    let serve = Serve::start();
    let kind = ["history", "--follow", "--kind", "terminal.opened", "--json"];
    let history = Following::start(&serve, &kind);
    let log = Following::start(&serve, &["logs", "-f", "--grep", "terminal opened"]);
    let open = || serve.open(&["sh"]);
    let first = open();
    history.until(&first);
    log.until(&first);
    for _ in 0..2 {
        upgrade(&serve);
        let next = open();
        assert_eq!(history.until(&next).len(), 1, "nothing is told twice");
        log.until(&next);
    }
}

#[test]
fn whoever_asks_meanwhile_is_answered() {
    let serve = Serve::start();
    let id = serve.sh("echo standing; exec sleep 99");
    serve.wait_text(&id, "standing");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0;
            while !is_over.load(Ordering::Relaxed) || asked < 5 {
                assert!(serve.capture(&id).contains("standing"));
                let listed = serve.cli(&["ls", "--json"]).json();
                assert_eq!(listed.as_array().unwrap().len(), 1);
                asked += 1;
            }
        });
        for _ in 0..3 {
            upgrade(&serve);
        }
        is_over.store(true, Ordering::Relaxed);
        asking.join().unwrap();
    });
}

#[test]
fn whoever_reads_a_long_answer_slowly_gets_the_rest_of_it() {
    let serve = Serve::start();
    let id = serve.sh("seq 100000 150000; echo the end; exec cat");
    serve.wait_text(&id, "the end");
    let socket = serve.ready()["control_socket"].as_str().unwrap().to_owned();
    let mut client = UnixStream::connect(socket).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = json!({ "op": "capture", "id": id, "scrollback": true, "ansi": false });
    client.write_all(format!("{request}\n").as_bytes()).unwrap();
    let mut answer = vec![0];
    client.read_exact(&mut answer).unwrap();
    for _ in 0..2 {
        serve.cli(&["upgrade"]).ok();
    }
    BufReader::new(&client)
        .read_until(b'\n', &mut answer)
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let scrollback = answer["ok"]["scrollback"].as_array().unwrap();
    assert_eq!(scrollback.last().unwrap().as_str().unwrap().len(), 6);
    assert!(scrollback.len() > 9_000, "{}", scrollback.len());
}
