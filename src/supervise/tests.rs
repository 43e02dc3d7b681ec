use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::time::timeout;

use super::*;
use crate::runtime::tasks::Tasks;

const HERE: &str = "here";

struct Rig {
    children: Children,
    tasks: Tasks,
    folder: TempDir,
    events: broadcast::Receiver<ProcessEvent>,
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tasks = Tasks::default();
        let children = Children::new(tasks.clone());
        let events = children.events();
        Self {
            children,
            tasks,
            folder,
            events,
        }
    }

    /// A child that is a line of shell, named `here`, which is ready once something answers on a port.
    fn spec(&self, script: &str, port: u16) -> Spec {
        let command = ["sh", "-c", script].map(str::to_owned).to_vec();
        let address = Address::of(&format!("http://127.0.0.1:{port}")).unwrap();
        Spec {
            probe: Probe::Http(address),
            stand_in: StandIn::Accepted,
            ..Spec::new(HERE, command, Spec::log_in(self.folder.path(), HERE))
        }
    }

    async fn event(&mut self) -> ProcessEvent {
        timeout(Duration::from_secs(20), self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits until the log of a server holds these lines and no others.
    async fn said(&self, lines: &[&str]) {
        let said = async {
            while self.children.log(HERE, 10).unwrap().1 != lines {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), said)
            .await
            .unwrap_or_else(|_| panic!("the log never held {lines:?}"));
    }

    async fn end(self) {
        self.tasks.shutdown(Duration::from_secs(5)).await;
    }
}

/// Whether anything of a process group still runs; what is dead and not reaped does not.
fn lives(group: u32) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let files = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    files.into_iter().any(|text| {
        let mut fields = text
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split(' ')
            .skip(1);
        let state = fields.next();
        state != Some("Z") && fields.nth(1) == Some(&group.to_string())
    })
}

async fn ends(group: u32) {
    let gone = async {
        while lives(group) {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), gone).await.unwrap();
}

/// Something that answers on a port, so that a server is taken to be ready.
fn answering() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::Write;
        for stream in listener.incoming().flatten() {
            let _ = { stream }.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_is_started_restarted_and_ended_with_all_that_it_started() {
    let mut rig = Rig::new();
    let port = answering();
    // The child ignores the request to end.
    let script = "echo hello; (trap '' TERM; sleep 1000) & sleep 1000";
    let grace = Duration::from_millis(200);
    rig.children.keep(vec![Spec {
        grace,
        ..rig.spec(script, port)
    }]);
    let ProcessEvent::Started { pid: first, .. } = rig.event().await else {
        panic!("it was started first");
    };
    assert!(matches!(rig.event().await, ProcessEvent::Ready { .. }));
    let status = rig.children.status(HERE).unwrap();
    assert_eq!(
        status,
        ProcessStatus {
            pid: Some(first),
            state: ProcessState::Ready,
            restarts: 0
        }
    );
    // Something else answers on its port: it is ready before its shell has said anything.
    rig.said(&["hello"]).await;
    rig.children.restart(HERE).await.unwrap();
    let second = rig.children.status(HERE).unwrap();
    assert_eq!((second.state, second.restarts), (ProcessState::Ready, 1));
    ends(first).await;
    rig.said(&["hello", "hello"]).await;
    rig.children.keep(Vec::new());
    loop {
        if matches!(rig.event().await, ProcessEvent::Stopped { .. }) {
            break;
        }
    }
    ends(second.pid.unwrap()).await;
    assert_eq!(rig.children.status(HERE), None);
    rig.end().await;
}

#[tokio::test]
async fn a_crash_loop_backs_off_and_is_told() {
    let mut rig = Rig::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    rig.children.keep(vec![rig.spec("exit 3", port)]);
    let mut pauses = Vec::new();
    while pauses.len() < 2 {
        if let ProcessEvent::Crashed { how, again_in, .. } = rig.event().await {
            assert_eq!(how, "ended (exit status: 3)");
            pauses.push(again_in.as_millis());
        }
    }
    assert_eq!(pauses, [500, 1000]);
    let error = rig.children.restart(HERE).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("here: its server ended (exit status: 3); its output is in "),
        "{error}"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_server_sees_no_key_and_one_that_is_not_there_is_told() {
    let mut rig = Rig::new();
    let port = answering();
    rig.children.keep(vec![Spec {
        without: vec!["HOME".to_owned()],
        env: vec![("COLOUR".to_owned(), "blue".to_owned())],
        cwd: Some(PathBuf::from("/")),
        ..rig.spec("echo ${HOME-gone} $COLOUR $PWD; sleep 1000", port)
    }]);
    while !matches!(rig.event().await, ProcessEvent::Ready { .. }) {}
    rig.said(&["gone blue /"]).await;
    rig.children.keep(vec![Spec {
        command: vec!["no-such-server".to_owned()],
        ..rig.spec("", port)
    }]);
    loop {
        if let ProcessEvent::Crashed { how, .. } = rig.event().await {
            assert!(
                how.starts_with("cannot be started: no-such-server: "),
                "{how}"
            );
            break;
        }
    }
    rig.end().await;
}

#[tokio::test]
async fn a_server_that_somebody_else_runs_in_its_place_will_do() {
    let mut rig = Rig::new();
    rig.children.keep(vec![rig.spec("exit 1", answering())]);
    while !matches!(rig.event().await, ProcessEvent::Crashed { .. }) {}
    let stands_in = async {
        let is_so =
            |status: ProcessStatus| status.state == ProcessState::Ready && status.pid.is_none();
        while !rig.children.status(HERE).is_some_and(is_so) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), stands_in).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_child_that_speaks_no_http_is_ready_once_it_accepts() {
    let mut rig = Rig::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let spec = rig.spec("sleep 1000", 0);
    rig.children.keep(vec![Spec {
        probe: Probe::Tcp(listener.local_addr().unwrap()),
        stand_in: StandIn::Refused,
        ..spec
    }]);
    while !matches!(rig.event().await, ProcessEvent::Ready { .. }) {}
    rig.end().await;
}
