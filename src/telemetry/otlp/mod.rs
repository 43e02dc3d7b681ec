//! Traces of requests, sent to a collector: OTLP over HTTP with protobuf
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
//!
//! A trace goes into a bounded queue and is sent until the collector has taken it: while that is away, what came stays and is
//! tried again, and past 2,048 traces the newer ones are lost, which is counted. What a collector refuses is not sent again.
//! Nothing waits for it, and nothing wakes up while no request comes. The protocol's few messages are written by hand
//! (`encode`): the crates for it bring an HTTP client, a runtime and a pipeline of their own.

mod encode;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::domain::trace::{Trace, Tracer};
use crate::runtime::tasks::Tasks;

/// Traces that wait for the collector.
const QUEUED: usize = 2048;
/// Traces of one message.
const BATCH: usize = 256;
/// What comes within this time after a first trace goes with it.
const GATHER: Duration = Duration::from_millis(500);
/// Between tries to reach a collector that is away, doubled from the one to the other.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// For one message, the connection included.
const PATIENCE: Duration = Duration::from_secs(3);
/// For what waits at the end.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
const PATH: &str = "/v1/traces";

/// Takes traces for a collector; cheap to clone.
#[derive(Clone, Debug)]
pub struct TraceExporter {
    queue: mpsc::Sender<Trace>,
    /// The collector's address; None where nobody wants traces.
    endpoint: watch::Sender<Option<String>>,
    /// Traces that found no room.
    lost: Arc<AtomicU64>,
    ending: CancellationToken,
    ended: CancellationToken,
}

impl TraceExporter {
    /// Starts to send what is recorded; must be called within the runtime.
    #[must_use]
    pub fn start(endpoint: Option<String>, version: &str, tasks: &Tasks) -> Self {
        let (queue, traces) = mpsc::channel(QUEUED);
        let exporter = Self {
            queue,
            endpoint: watch::Sender::new(endpoint),
            lost: Arc::default(),
            ending: CancellationToken::new(),
            ended: CancellationToken::new(),
        };
        let sender = Sender {
            traces,
            endpoint: exporter.endpoint.subscribe(),
            lost: Arc::clone(&exporter.lost),
            version: version.to_owned(),
            client: None,
            is_down: false,
        };
        let ending = exporter.ending.clone();
        let ended = exporter.ended.clone().drop_guard();
        tasks.spawn("otlp", async move {
            sender.run(ending).await;
            drop(ended);
        });
        exporter
    }

    /// Sends what waits, once and for five seconds at most; nothing that comes later is sent.
    pub async fn end(&self) {
        self.ending.cancel();
        let _ = timeout(LAST_PATIENCE, self.ended.cancelled()).await;
    }

    /// Sends traces elsewhere, or none, from now on.
    pub fn set_endpoint(&self, endpoint: Option<String>) {
        self.endpoint.send_if_modified(|current| {
            let is_new = *current != endpoint;
            *current = endpoint;
            is_new
        });
    }

    /// For the room whose requests are traced.
    #[must_use]
    pub fn tracer(&self) -> Arc<dyn Tracer> {
        Arc::new(self.clone())
    }
}

impl Tracer for TraceExporter {
    fn is_on(&self) -> bool {
        self.endpoint.borrow().is_some()
    }

    fn record(&self, trace: Trace) {
        if self.queue.try_send(trace).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Sender {
    traces: mpsc::Receiver<Trace>,
    endpoint: watch::Receiver<Option<String>>,
    lost: Arc<AtomicU64>,
    version: String,
    /// For the endpoint that it was made for, once it is needed: it may read the system's certificates.
    client: Option<(String, Client)>,
    /// The last message did not arrive.
    is_down: bool,
}

/// Why a message was not taken.
enum Untaken {
    /// The collector is away, or asks to come again, after that long where it says so.
    Later(String, Option<Duration>),
    /// It will never take it.
    Refused(String),
}

impl Sender {
    async fn run(mut self, ending: CancellationToken) {
        loop {
            let first = tokio::select! {
                first = self.traces.recv() => first,
                () = ending.cancelled() => self.traces.try_recv().ok(),
            };
            let Some(first) = first else { return };
            if !ending.is_cancelled() {
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    () = ending.cancelled() => {}
                }
            }
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(trace) = self.traces.try_recv()
            {
                batch.push(trace);
            }
            if !self.deliver(&batch, &ending).await {
                return;
            }
        }
    }

    /// Sends a message until it is taken or refused, or nobody wants it; false once it is the end and the collector away.
    async fn deliver(&mut self, batch: &[Trace], ending: &CancellationToken) -> bool {
        let mut pause = FIRST_RETRY;
        loop {
            let Some(endpoint) = self.endpoint.borrow_and_update().clone() else {
                return true;
            };
            let asked = match self.send(&endpoint, batch).await {
                Ok(()) => {
                    debug!(traces = batch.len(), "traces are sent");
                    self.arrived(&endpoint);
                    return true;
                }
                Err(Untaken::Refused(error)) => {
                    warn!(endpoint, error, traces = batch.len(), "traces are refused");
                    return true;
                }
                Err(Untaken::Later(error, asked)) => {
                    self.away(&endpoint, &error);
                    asked
                }
            };
            if ending.is_cancelled() {
                return false;
            }
            tokio::select! {
                () = tokio::time::sleep(asked.unwrap_or(pause).min(LAST_RETRY)) => {}
                // Elsewhere it may be taken at once.
                _ = self.endpoint.changed() => pause = FIRST_RETRY,
                () = ending.cancelled() => {}
            }
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    async fn send(&mut self, endpoint: &str, batch: &[Trace]) -> Result<(), Untaken> {
        let kept = self.client.take().filter(|(of, _)| of == endpoint);
        let client = kept.map_or_else(|| client(endpoint), |(_, client)| Ok(client));
        let client = client.map_err(|error| Untaken::Refused(error.to_string()))?;
        let sent = client
            .post(address(endpoint))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(encode::request(batch, &self.version))
            .send()
            .await;
        self.client = Some((endpoint.to_owned(), client));
        match sent {
            Ok(answer) => judge(&answer),
            Err(error) if error.is_builder() => {
                Err(Untaken::Refused(error.without_url().to_string()))
            }
            Err(error) => Err(Untaken::Later(error.without_url().to_string(), None)),
        }
    }

    /// Tells the log once that the collector is away.
    fn away(&mut self, endpoint: &str, error: &str) {
        if !std::mem::replace(&mut self.is_down, true) {
            warn!(endpoint, error, "traces wait for their collector");
        }
    }

    /// Tells the log once that it is back.
    fn arrived(&mut self, endpoint: &str) {
        if std::mem::take(&mut self.is_down) {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            info!(endpoint, lost, "traces arrive again");
        }
    }
}

/// Which answers ask to try again: <https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes>.
fn judge(answer: &Response) -> Result<(), Untaken> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let told = format!("status {status}");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let seconds = answer.headers().get(RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
            Err(Untaken::Later(told, seconds.map(Duration::from_secs)))
        }
        _ => Err(Untaken::Refused(told)),
    }
}

/// Below the endpoint, unless it names the path itself.
fn address(endpoint: &str) -> String {
    let endpoint = endpoint.trim_end_matches('/');
    if endpoint.ends_with(PATH) {
        endpoint.to_owned()
    } else {
        format!("{endpoint}{PATH}")
    }
}

fn client(endpoint: &str) -> reqwest::Result<Client> {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        // It fails where somebody has done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    if endpoint.starts_with("http:") {
        // No certificate is looked at, so the system's need not be read.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_collector_or_its_route() {
        for endpoint in ["http://c:4318", "http://c:4318/", "http://c:4318/v1/traces"] {
            assert_eq!(address(endpoint), "http://c:4318/v1/traces");
        }
        assert_eq!(address("https://c/otlp"), "https://c/otlp/v1/traces");
    }
}
