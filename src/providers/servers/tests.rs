use std::fs;
use std::net::TcpListener;

use super::*;
use crate::domain::profile::ProviderKind;
use crate::providers::ProcessState;

/// A profile whose server is a line of shell.
fn profile(script: &str, port: u16) -> Profile {
    let mut profile = Profile::new("here", ProviderKind::Local);
    profile.command = ["sh", "-c", script].map(str::to_owned).to_vec();
    profile.base_url = format!("http://127.0.0.1:{port}");
    profile
}

struct Rig {
    servers: Servers,
    tasks: Tasks,
    folder: PathBuf,
    events: broadcast::Receiver<ServerEvent>,
}

impl Rig {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tundra-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let tasks = Tasks::default();
        let servers = Servers::new(folder.clone(), tasks.clone());
        let events = servers.events();
        Self {
            servers,
            tasks,
            folder,
            events,
        }
    }

    async fn event(&mut self) -> ServerEvent {
        timeout(Duration::from_secs(20), self.events.recv())
            .await
            .unwrap()
            .unwrap()
    }

    /// Waits until the log of a server holds these lines and no others.
    async fn said(&self, name: &ProfileName, lines: &[&str]) {
        let said = async {
            while self.servers.log(name, 10).unwrap().1 != lines {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), said)
            .await
            .unwrap_or_else(|_| panic!("the log never held {lines:?}"));
    }

    async fn end(self) {
        self.tasks.shutdown(Duration::from_secs(5)).await;
        fs::remove_dir_all(&self.folder).unwrap();
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
    let mut rig = Rig::new("servers-life");
    let name = ProfileName::from("here");
    let port = answering();
    // The child ignores the request to end.
    let script = "echo hello; (trap '' TERM; sleep 1000) & sleep 1000";
    rig.servers
        .keep(&[profile(script, port)], &[], Duration::from_millis(200));
    let ServerEvent::Started { pid: first, .. } = rig.event().await else {
        panic!("it was started first");
    };
    assert!(matches!(rig.event().await, ServerEvent::Ready { .. }));
    let status = rig.servers.status(&name).unwrap();
    assert_eq!(
        status,
        ProcessStatus {
            pid: Some(first),
            state: ProcessState::Ready,
            restarts: 0
        }
    );
    // Something else answers on its port: it is ready before its shell has said anything.
    rig.said(&name, &["hello"]).await;
    rig.servers.restart(&name).await.unwrap();
    let second = rig.servers.status(&name).unwrap();
    assert_eq!((second.state, second.restarts), (ProcessState::Ready, 1));
    ends(first).await;
    rig.said(&name, &["hello", "hello"]).await;
    rig.servers.keep(&[], &[], Duration::from_millis(200));
    loop {
        if matches!(rig.event().await, ServerEvent::Stopped { .. }) {
            break;
        }
    }
    ends(second.pid.unwrap()).await;
    assert_eq!(rig.servers.status(&name), None);
    rig.end().await;
}

#[tokio::test]
async fn a_crash_loop_backs_off_and_is_told() {
    let mut rig = Rig::new("servers-crash");
    let name = ProfileName::from("here");
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = port.local_addr().unwrap().port();
    rig.servers
        .keep(&[profile("exit 3", port)], &[], Duration::ZERO);
    let mut pauses = Vec::new();
    while pauses.len() < 2 {
        if let ServerEvent::Crashed { how, again_in, .. } = rig.event().await {
            assert_eq!(how, "ended (exit status: 3)");
            pauses.push(again_in.as_millis());
        }
    }
    assert_eq!(pauses, [500, 1000]);
    let error = rig.servers.restart(&name).await.unwrap_err();
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
    let mut rig = Rig::new("servers-env");
    let name = ProfileName::from("here");
    let port = answering();
    let without = ["HOME".to_owned()];
    rig.servers.keep(
        &[profile("echo ${HOME-gone}; sleep 1000", port)],
        &without,
        Duration::ZERO,
    );
    while !matches!(rig.event().await, ServerEvent::Ready { .. }) {}
    rig.said(&name, &["gone"]).await;
    let mut missing = profile("", port);
    missing.command = vec!["no-such-server".to_owned()];
    rig.servers.keep(&[missing], &without, Duration::ZERO);
    loop {
        if let ServerEvent::Crashed { how, .. } = rig.event().await {
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
    let mut rig = Rig::new("servers-foreign");
    let name = ProfileName::from("here");
    rig.servers
        .keep(&[profile("exit 1", answering())], &[], Duration::ZERO);
    while !matches!(rig.event().await, ServerEvent::Crashed { .. }) {}
    let stands_in = async {
        let is_so =
            |status: ProcessStatus| status.state == ProcessState::Ready && status.pid.is_none();
        while !rig.servers.status(&name).is_some_and(is_so) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), stands_in).await.unwrap();
    rig.end().await;
}
