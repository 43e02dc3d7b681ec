//! Traces of requests, sent to a collector: OTLP over HTTP with protobuf
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
//!
//! A trace goes into a bounded queue, and what has no room there is lost; so is what the collector does not take. Nothing
//! waits for it, and nothing wakes up while no request comes. The protocol's few messages are written by hand (`encode`): the
//! crates for it bring an HTTP client, a runtime and a pipeline of their own.

mod encode;

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{mpsc, oneshot, watch};
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
}

/// What runs behind a [`TraceExporter`], for whoever ends it.
#[derive(Debug)]
pub struct RunningExporter {
    ending: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl TraceExporter {
    /// Starts to send what is recorded; must be called within the runtime.
    #[must_use]
    pub fn start(
        endpoint: Option<String>,
        version: &str,
        tasks: &Tasks,
    ) -> (Self, RunningExporter) {
        let (queue, traces) = mpsc::channel(QUEUED);
        let exporter = Self {
            queue,
            endpoint: watch::Sender::new(endpoint),
        };
        let sender = Sender {
            traces,
            endpoint: exporter.endpoint.subscribe(),
            version: version.to_owned(),
            client: None,
            is_down: false,
        };
        let ending = CancellationToken::new();
        let (done, ended) = oneshot::channel();
        let stop = ending.clone();
        tasks.spawn("otlp", async move {
            sender.run(stop).await;
            let _ = done.send(());
        });
        (exporter, RunningExporter { ending, ended })
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
        // Full: it is lost.
        let _ = self.queue.try_send(trace);
    }
}

impl RunningExporter {
    /// Sends what waits, for five seconds at most.
    pub async fn end(self) {
        self.ending.cancel();
        let _ = timeout(LAST_PATIENCE, self.ended).await;
    }
}

struct Sender {
    traces: mpsc::Receiver<Trace>,
    endpoint: watch::Receiver<Option<String>>,
    version: String,
    /// For the endpoint that it was made for, once it is needed: it may read the system's certificates.
    client: Option<(String, Client)>,
    /// The last message did not arrive.
    is_down: bool,
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
            self.send(&batch).await;
        }
    }

    async fn send(&mut self, batch: &[Trace]) {
        let Some(endpoint) = self.endpoint.borrow().clone() else {
            return;
        };
        let kept = self.client.take().filter(|(of, _)| *of == endpoint);
        let client = match kept.map_or_else(|| client(&endpoint), |(_, client)| Ok(client)) {
            Ok(client) => client,
            Err(error) => return self.told(&endpoint, Some(error.to_string())),
        };
        let sent = client
            .post(address(&endpoint))
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(encode::request(batch, &self.version))
            .send()
            .await;
        self.client = Some((endpoint.clone(), client));
        match sent {
            Ok(answer) if answer.status().is_success() => {
                debug!(traces = batch.len(), "traces are sent");
                self.told(&endpoint, None);
            }
            Ok(answer) => self.told(&endpoint, Some(format!("status {}", answer.status()))),
            Err(error) => self.told(&endpoint, Some(error.without_url().to_string())),
        }
    }

    /// Tells the log once that the collector is down, and once that it is not.
    fn told(&mut self, endpoint: &str, error: Option<String>) {
        let was_down = std::mem::replace(&mut self.is_down, error.is_some());
        match error {
            Some(error) if !was_down => warn!(endpoint, error, "traces are lost"),
            None if was_down => info!(endpoint, "traces arrive again"),
            Some(_) | None => {}
        }
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
        // It fails where the gateway has done it.
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
