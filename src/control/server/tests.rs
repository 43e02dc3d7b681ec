use std::fs;
use std::os::unix::net::UnixStream as Client;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::task::JoinHandle;

use super::*;
use crate::api::shapes::FrontShape;
use crate::api::{Front, sample};
use crate::control::protocol::MAX_REQUEST;

struct Server {
    folder: PathBuf,
    services: Services,
    stop: CancellationToken,
    freeze: CancellationToken,
    task: JoinHandle<io::Result<Option<FrozenControl>>>,
}

impl Server {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tundra-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("control.sock");
        let services = sample(&folder);
        let (stop, freeze) = (CancellationToken::new(), CancellationToken::new());
        let listener = LocalListener::bind(&socket).unwrap();
        let (borrower, _) = mpsc::channel(1);
        let task = tokio::spawn(serve(Setup {
            listener,
            services: services.clone(),
            borrower,
            first: None,
            kept: Connections::default(),
            upgraded: Err(String::new()),
            freeze: freeze.clone(),
            stop: stop.clone(),
        }));
        Self {
            folder,
            services,
            stop,
            freeze,
            task,
        }
    }

    async fn connect(&self) -> Talk {
        let stream = UnixStream::connect(self.folder.join("control.sock"));
        Talk(BufReader::new(stream.await.unwrap()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

struct Talk(BufReader<UnixStream>);

impl Talk {
    async fn say(&mut self, bytes: &[u8]) {
        // A server that has said no may have closed before it read everything.
        let _ = self.0.get_mut().write_all(bytes).await;
    }

    /// The next line, empty when the server has closed.
    async fn hear(&mut self) -> String {
        let mut line = String::new();
        timeout(Duration::from_secs(10), self.0.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        line
    }
}

#[tokio::test]
async fn a_wrong_request_is_refused_and_the_next_is_answered() {
    let server = Server::start("wrong");
    let mut talk = server.connect().await;
    talk.say(b"\x00\xff\n{\"op\":\"fly\"}\n{\"op\":\"list\"}\n")
        .await;
    assert!(
        talk.hear()
            .await
            .starts_with(r#"{"error":{"code":"bad_request","message":"IPC error: "#)
    );
    assert!(talk.hear().await.contains("unknown variant `fly`"));
    assert_eq!(talk.hear().await, "{\"ok\":[]}\n");
}

#[tokio::test]
async fn a_request_in_pieces_is_one_request() {
    let server = Server::start("pieces");
    let mut talk = server.connect().await;
    talk.say(b"{\"op\":").await;
    tokio::task::yield_now().await;
    talk.say(b"\"status\"}\n").await;
    let status = talk.hear().await;
    assert!(
        status.starts_with(
            r#"{"ok":{"version":"9.9","pid":7,"started_at":"1970-01-01T00:00:00Z","pool":{"active":0,"max":3},"#
        ),
        "{status}"
    );
}

#[tokio::test]
async fn a_line_without_an_end_is_cut_off() {
    let server = Server::start("endless");
    let mut talk = server.connect().await;
    talk.say(&vec![b'x'; MAX_REQUEST]).await;
    assert!(talk.hear().await.contains("a request is at most"));
    assert_eq!(talk.hear().await, "");
}

#[tokio::test]
async fn what_is_unknown_is_told_by_code_and_text() {
    let server = Server::start("unknown");
    let mut talk = server.connect().await;
    for request in [
        r#"{"op":"capture","id":"x","scrollback":false,"ansi":false}"#,
        r#"{"op":"kill","id":"x"}"#,
        r#"{"op":"wait","id":"x","until":"exit","timeout_ms":1}"#,
        r#"{"op":"input","id":"x","parts":[]}"#,
    ] {
        talk.say(format!("{request}\n").as_bytes()).await;
        assert_eq!(
            talk.hear().await,
            "{\"error\":{\"code\":\"not_found\",\"message\":\"pty handle not found: x\"}}\n"
        );
    }
}

#[tokio::test]
async fn silent_clients_do_not_keep_others_from_being_served() {
    let server = Server::start("silent");
    let path = server.folder.join("control.sock");
    let silent: Vec<Client> = (0..MAX_CONNECTIONS - 1)
        .map(|_| Client::connect(&path).unwrap())
        .collect();
    let mut talk = server.connect().await;
    talk.say(b"{\"op\":\"list\"}\n").await;
    assert_eq!(talk.hear().await, "{\"ok\":[]}\n");
    let mut refused = server.connect().await;
    assert!(refused.hear().await.contains("too_many_requests"));
    drop(silent);
}

#[tokio::test]
async fn a_stop_ends_everything_and_takes_the_socket_away() {
    let mut server = Server::start("stop");
    let mut idle = server.connect().await;
    idle.say(b"{\"op\":\"list\"}\n").await;
    idle.hear().await;
    server.stop.cancel();
    timeout(Duration::from_secs(10), &mut server.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(idle.hear().await, "");
    assert!(!server.folder.join("control.sock").exists());
}

/// A front end that has stopped already, since another program is to go on.
#[derive(Debug)]
struct StandsStill(mpsc::Sender<()>);

impl Front for StandsStill {
    fn shape(&self) -> FrontShape {
        FrontShape::default()
    }

    fn detach(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.stop()
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            let _ = self.0.send(()).await;
            std::future::pending::<()>().await;
        })
    }
}

#[tokio::test]
async fn what_is_asked_of_a_front_end_that_stands_still_is_asked_of_the_next_program() {
    for asked in [r#"{"op":"stop","force":true}"#, r#"{"op":"detach"}"#] {
        let mut server = Server::start("stands-still");
        let (tell, mut told) = mpsc::channel(1);
        server.services.set_front(Arc::new(StandsStill(tell)));
        let mut client = server.connect().await;
        client.say(format!("{asked}\n").as_bytes()).await;
        told.recv().await.unwrap();
        server.freeze.cancel();
        let frozen = (&mut server.task).await.unwrap().unwrap().unwrap();
        let pending: Vec<_> = frozen.connections.iter().map(|one| &one.pending).collect();
        assert_eq!(pending, [&Pending::Request(asked.into())]);
    }
}
