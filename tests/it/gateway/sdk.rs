//! The vendors' own client libraries, unmodified but for address and key, through a failover in mid-conversation.
//!
//! `TUNDRA_TEST_PYTHON` names a Python that has `anthropic` and `openai`, `TUNDRA_TEST_NODE_MODULES` a folder that has
//! `@anthropic-ai/sdk` and `openai`. Where they are missing, what is skipped is told.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tundra::domain::profile::{Dialect, Dialects};

use super::dialects::{converse, error_event};
use crate::support::skip;
use crate::support::stage::{Stage, profile};
use crate::support::upstream::{Step, Upstream, answer, stream};

/// One that answers each conversation's first request and then fails in ever other ways, and one that works and speaks
/// `dialects`.
async fn stage(dialects: &[Dialect]) -> (Upstream, Upstream, Stage) {
    let asked = Arc::new(AtomicUsize::new(0));
    let first = Upstream::answering(move |seen| {
        let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        if !body.to_string().contains("second question") && !body["tools"].is_array() {
            return converse(seen);
        }
        match asked.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => answer(503, &[("content-type", "text/html")], "<html>busy</html>"),
            1 => vec![Step::Close],
            2 => answer(
                529,
                &[],
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ),
            _ if body["stream"] == true => {
                let dialect = super::dialects::ALL
                    .into_iter()
                    .find(|one| seen.path().starts_with(super::dialects::path(*one)))
                    .unwrap();
                stream(&[error_event(dialect, true)])
            }
            _ => vec![Step::Reset],
        }
    });
    let second = Upstream::answering(converse);
    let mut options = crate::support::stage::quick();
    // The first must be asked every time, however often it fails.
    options.route.breaker.failure_threshold = 1000;
    let mut other = profile("second", 2, &second.url());
    other.dialects = Dialects::of(dialects);
    let stage = Stage::with(options, vec![profile("first", 1, &first.url()), other]).await;
    (first, second, stage)
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/sdk")
        .join(name)
}

async fn run(stage: &Stage, conversations: &str, mut command: Command) {
    command
        .env("CONVERSATIONS", conversations)
        .env("GATEWAY_URL", &stage.url)
        .env("GATEWAY_KEY", stage.key.reveal())
        .env("NO_PROXY", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    assert!(
        status.success(),
        "{status}\n{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr)
    );
    let told = String::from_utf8_lossy(&stdout);
    assert!(
        told.trim_end().ends_with("all conversations held"),
        "{told}"
    );
}

/// Every conversation with a second profile of its own dialect, then each with one of every other.
const ROUTES: [(&str, &[Dialect]); 4] = [
    ("messages chat responses", &Dialect::ALL),
    ("chat responses", &[Dialect::Messages]),
    ("messages responses", &[Dialect::Chat]),
    ("messages chat", &[Dialect::Responses]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_libraries_hold_a_conversation_through_a_failover() {
    let python = std::env::var("TUNDRA_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import anthropic, openai"])
        .output();
    if !has.is_ok_and(|output| output.status.success()) {
        skip(&format!(
            "{python} has no anthropic and openai (set TUNDRA_TEST_PYTHON)"
        ));
        return;
    }
    for (conversations, dialects) in ROUTES {
        let (first, second, stage) = stage(dialects).await;
        let mut command = Command::new(&python);
        command.arg(script("conversation.py"));
        run(&stage, conversations, command).await;
        assert!(first.requests() > 6 && second.requests() > 6);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_libraries_hold_a_conversation_through_a_failover() {
    let modules =
        std::env::var("TUNDRA_TEST_NODE_MODULES").unwrap_or_else(|_| "node_modules".to_owned());
    let modules = std::path::absolute(modules).unwrap();
    if !modules.join("openai").is_dir() || !modules.join("@anthropic-ai/sdk").is_dir() {
        skip(&format!(
            "{} has no @anthropic-ai/sdk and openai (set TUNDRA_TEST_NODE_MODULES)",
            modules.display()
        ));
        return;
    }
    for (conversations, dialects) in ROUTES {
        let (first, second, stage) = stage(dialects).await;
        let mut command = Command::new("node");
        command
            .arg(script("conversation.mjs"))
            .env("NODE_MODULES", &modules);
        run(&stage, conversations, command).await;
        assert!(first.requests() > 6 && second.requests() > 6);
    }
}
