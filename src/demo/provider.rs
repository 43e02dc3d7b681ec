//! The two simulated providers: one listener on loopback that answers as Anthropic's Messages do, and fails as it is told.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Collected, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::fault::{Fault, Player};

/// Between two words of an answer.
const WORD: Duration = Duration::from_millis(70);
/// Longer than whoever asks waits.
const STALL: Duration = Duration::from_secs(120);
/// What a 429 asks for.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("6");
/// Bytes of a request; a demonstration asks little.
const MOST: usize = 1 << 20;
const CONNECTIONS: usize = 64;
const WORDS: [&str; 12] = [
    "simulated",
    "words",
    "that",
    "come",
    "one",
    "by",
    "one",
    "as",
    "a",
    "model's",
    "answer",
    "does.",
];

type Body = BoxBody<Bytes, io::Error>;

/// The providers, listening.
#[derive(Debug)]
pub struct Simulation {
    listener: TcpListener,
    address: SocketAddr,
    stage: Arc<Stage>,
}

/// What both are made to do, and how often they were asked.
#[derive(Debug, Default)]
struct Stage {
    faults: Mutex<[Fault; 2]>,
    asked: AtomicU64,
}

impl Stage {
    fn fault(&self, player: Player) -> Fault {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.get(player.index()).copied().unwrap_or_default()
    }

    fn set(&self, player: Player, fault: Fault) {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = faults.get_mut(player.index()) {
            *place = fault;
        }
    }
}

impl Simulation {
    /// Takes a free port of this machine.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            stage: Arc::default(),
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of one of them.
    #[must_use]
    pub fn base_url(&self, player: Player) -> String {
        format!("http://{}{}", self.address, player.path())
    }

    /// Answers until it is dropped, which closes all connections.
    pub async fn serve(self) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, _)) = accepted else { continue };
            // Words of an answer are small and must not wait for each other's acknowledgement.
            let _ = stream.set_nodelay(true);
            let stage = Arc::clone(&self.stage);
            connections.spawn(async move {
                let service = service_fn(move |request| {
                    let stage = Arc::clone(&stage);
                    async move { Ok::<_, Infallible>(answer(request, &stage).await) }
                });
                // A connection that breaks is part of the play.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }
}

async fn answer(request: Request<Incoming>, stage: &Stage) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let player = Player::ALL
        .into_iter()
        .find_map(|player| Some((player, path.strip_prefix(player.path())?)));
    let Some((player, route)) = player else {
        return error(
            StatusCode::NOT_FOUND,
            "not_found_error",
            "simulated: no such route",
        );
    };
    if let Some(fault) = route.strip_prefix("/fault/") {
        return match Fault::named(fault) {
            Some(fault) if request.method() == Method::POST => {
                stage.set(player, fault);
                whole(StatusCode::OK, &json!({ "fault": fault.name() }))
            }
            _ => error(
                StatusCode::NOT_FOUND,
                "not_found_error",
                "simulated: no such fault",
            ),
        };
    }
    let method = request.method().clone();
    let body = Limited::new(request.into_body(), MOST).collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    match (method, route) {
        (Method::GET, "/v1/models") => whole(
            StatusCode::OK,
            &json!({ "data": [{ "type": "model", "id": "simulated" }], "has_more": false }),
        ),
        (Method::POST, "/v1/messages/count_tokens") => {
            whole(StatusCode::OK, &json!({ "input_tokens": 8 }))
        }
        (Method::POST, "/v1/messages") => message(player, stage, &body).await,
        _ => error(
            StatusCode::NOT_FOUND,
            "not_found_error",
            "simulated: no such route",
        ),
    }
}

async fn message(player: Player, stage: &Stage, body: &Bytes) -> Response<Body> {
    let fault = stage.fault(player);
    let number = stage.asked.fetch_add(1, Ordering::Relaxed) + 1;
    match fault {
        Fault::Broken => {
            return error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "api_error",
                "simulated: this provider is broken",
            );
        }
        Fault::Limited => {
            let mut refusal = error(
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limit_error",
                "simulated: too many requests",
            );
            refusal.headers_mut().insert("retry-after", RETRY_AFTER);
            return refusal;
        }
        Fault::Stalled => tokio::time::sleep(STALL).await,
        Fault::Cut | Fault::None => {}
    }
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let head = format!("msg_simulated_{number}");
    if asked.get("stream").and_then(Value::as_bool) != Some(true) {
        let text = WORDS.join(" ");
        return whole(
            StatusCode::OK,
            &json!({
                "id": head, "type": "message", "role": "assistant", "model": "simulated",
                "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
                "usage": { "input_tokens": 8, "output_tokens": WORDS.len() },
            }),
        );
    }
    let frames = stream::unfold(play(&head, fault).into_iter(), |mut frames| async move {
        let (pause, frame) = frames.next()?;
        tokio::time::sleep(pause).await;
        Some((frame.map(Frame::data), frames))
    });
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A streamed answer, each event with the pause before it.
fn play(id: &str, fault: Fault) -> Vec<(Duration, io::Result<Bytes>)> {
    let event = |name: &str, mut data: Value| {
        data["type"] = name.into();
        Ok(Bytes::from(format!("event: {name}\ndata: {data}\n\n")))
    };
    let start = json!({
        "message": {
            "id": id, "type": "message", "role": "assistant", "model": "simulated", "content": [], "stop_reason": null,
            "stop_sequence": null, "usage": { "input_tokens": 8, "output_tokens": 0 },
        }
    });
    let block = json!({ "index": 0, "content_block": { "type": "text", "text": "" } });
    let mut frames = vec![
        (WORD, event("message_start", start)),
        (Duration::ZERO, event("content_block_start", block)),
    ];
    for (index, word) in WORDS.into_iter().enumerate() {
        if fault == Fault::Cut && index == WORDS.len() / 3 {
            frames.push((WORD, Err(io::Error::other("simulated cut"))));
            return frames;
        }
        let space = if index == 0 { "" } else { " " };
        let delta = json!({ "index": 0, "delta": { "type": "text_delta", "text": format!("{space}{word}") } });
        frames.push((WORD, event("content_block_delta", delta)));
    }
    let end = json!({ "delta": { "stop_reason": "end_turn", "stop_sequence": null }, "usage": { "output_tokens": WORDS.len() } });
    frames.push((WORD, event("content_block_stop", json!({ "index": 0 }))));
    frames.push((Duration::ZERO, event("message_delta", end)));
    frames.push((Duration::ZERO, event("message_stop", json!({}))));
    frames
}

fn error(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    whole(
        status,
        &json!({ "type": "error", "error": { "type": kind, "message": message } }),
    )
}

fn whole(status: StatusCode, body: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_string()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
