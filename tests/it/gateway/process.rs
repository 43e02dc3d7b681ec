//! The program of a local profile is started, watched, restarted, and ended with tundra.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use tundra::domain::profile::{Profile, ProfileName, ProviderKind};
use tundra::gateway::{ProcessError, ProcessState, Processes};
use tundra::runtime::tasks::Tasks;

use crate::support::eventually;

const SERVER: &str = "
import os, socket, sys, time
print('hello from', os.environ.get('PROVIDER_KEY', 'nobody'), flush=True)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', int(sys.argv[1])))
listener.listen()
while True: listener.accept()[0].close()
";

struct Room {
    folder: PathBuf,
    port: u16,
    tasks: Tasks,
    processes: Processes,
}

impl Room {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("tundra-process-{}", uuid::Uuid::new_v4()));
        let tasks = Tasks::default();
        let processes = Processes::new(
            folder.clone(),
            vec!["PROVIDER_KEY".to_owned()],
            tasks.clone(),
        );
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            folder,
            port,
            tasks,
            processes,
        }
    }

    fn profile(&self, command: &[&str]) -> Profile {
        let mut profile = Profile::new("own", ProviderKind::Local);
        profile.base_url = format!("http://127.0.0.1:{}", self.port);
        profile.command = command.iter().map(|word| (*word).to_owned()).collect();
        profile
    }

    fn server(&self) -> Profile {
        self.profile(&["python3", "-c", SERVER, &self.port.to_string()])
    }

    fn state(&self) -> ProcessState {
        self.processes.status(&own()).unwrap().state
    }

    fn answers(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn own() -> ProfileName {
    ProfileName::from("own")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_started_and_restarted_and_ends_with_tundra() {
    let room = Room::new();
    room.processes.keep(&[room.server()]);
    eventually("the program is ready", || {
        room.state() == ProcessState::Ready
    });
    let first = room.processes.status(&own()).unwrap();
    assert_eq!(
        std::fs::read_to_string(&first.log).unwrap(),
        "hello from nobody\n"
    );
    room.processes.keep(&[room.server()]);
    assert_eq!(
        room.processes.status(&own()).unwrap().pid,
        first.pid,
        "it is left alone"
    );
    room.processes.restart(&own()).await.unwrap();
    let second = room.processes.status(&own()).unwrap();
    assert_eq!((second.state, second.restarts), (ProcessState::Ready, 1));
    assert_ne!(second.pid, first.pid);
    assert!(room.answers());
    room.tasks.shutdown(Duration::from_secs(10)).await;
    assert!(!room.answers());
    assert_eq!(room.state(), ProcessState::Stopped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_crashes_is_started_again_after_longer_and_longer_pauses() {
    let room = Room::new();
    room.processes
        .keep(&[room.profile(&["sh", "-c", "echo no; exit 3"])]);
    eventually("it was started again", || {
        room.processes.status(&own()).unwrap().restarts >= 2
    });
    eventually("it pauses", || room.state() == ProcessState::Backoff);
    let status = room.processes.status(&own()).unwrap();
    assert_eq!(status.last_exit.as_deref(), Some("exit status: 3"));
    assert_eq!(status.pid, None);
    let error = room.processes.restart(&own()).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("sh did not start: exit status: 3 (its output: "),
        "{error}"
    );
    room.tasks.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_that_is_gone_takes_its_program_along() {
    let room = Room::new();
    room.processes.keep(&[room.server()]);
    eventually("the program is ready", || {
        room.state() == ProcessState::Ready
    });
    room.processes.keep(&[]);
    eventually("the program is gone", || !room.answers());
    assert_eq!(
        room.processes.restart(&own()).await,
        Err(ProcessError::NoProgram(own()))
    );
    let missing = room.profile(&["no-such-program-anywhere"]);
    room.processes.keep(&[missing]);
    let error = room.processes.restart(&own()).await.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    room.tasks.shutdown(Duration::from_secs(10)).await;
}
