//! Agents: what each is doing is told from what crosses the wire, and what it may spend is held there.
//!
//! The test is the agent: it asks the gateway with the key of a terminal whose shell it types into.

mod adapters;
mod budget;
mod front;
mod gemini;
mod notices;
mod states;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::client::client;
use crate::support::upstream::{Script, Upstream, json as plain};
use crate::support::{Home, Serve, eventually};

const ASKED: &str = r#"{"model":"claude-sonnet-4-20250514","max_tokens":64,"tools":[{"name":"run","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"hi"}]}"#;

/// An answer that says something.
fn said() -> Script {
    plain(
        200,
        message(&json!([{"type": "text", "text": "Hi"}]), "end_turn"),
    )
}

/// An answer that calls a tool.
fn called() -> Script {
    let call = json!([{"type": "tool_use", "id": "toolu_1", "name": "run", "input": {}}]);
    plain(200, message(&call, "tool_use"))
}

fn message(content: &Value, stop: &str) -> String {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514",
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": {"input_tokens": 100_000, "output_tokens": 20, "cache_read_input_tokens": 7},
    })
    .to_string()
}

/// An instance with one provider, and one terminal of an agent in it.
struct Agent {
    serve: Serve,
    id: String,
    key: String,
    client: reqwest::Client,
}

impl Agent {
    fn before(upstream: &Upstream) -> Self {
        Self::with(&profile("one", &upstream.url()), &[])
    }

    /// An agent that is a shell, opened with further options.
    fn with(config: &str, options: &[&str]) -> Self {
        let home = Home::with_config(config);
        let mut command = home.tundra(&["serve", "--print-ready"]);
        command.env("ONE_KEY", "sk-one").env("TWO_KEY", "sk-two");
        let serve = Serve::from(home, command);
        let mut all = vec!["--agent", "shell", "--name", "agent"];
        all.extend(options);
        let script = "echo key=$ANTHROPIC_AUTH_TOKEN.; exec sh";
        let id = serve.open_with(&all, &["sh", "-c", script]);
        serve.wait_text(&id, r"key=tundra-[0-9a-f]+\.");
        let screen = serve.joined(&id);
        let (_, after) = screen.split_once("key=").unwrap();
        let (key, _) = after.split_once('.').unwrap();
        let client = client();
        Self {
            key: key.to_owned(),
            serve,
            id,
            client,
        }
    }

    fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        let url = self.serve.ready()["gateway_url"].as_str().unwrap();
        self.client
            .post(format!("{url}{path}"))
            .header("x-api-key", &self.key)
            .header("content-type", "application/json")
            .body(body)
    }

    async fn ask(&self) -> Response {
        self.post("/v1/messages", ASKED).send().await.unwrap()
    }

    /// The agent as `ls` tells it.
    fn agent(&self) -> Value {
        self.serve.terminal(&self.id)["agent"].clone()
    }

    /// Waits for a state by `tundra wait` and answers the agent as it is then.
    #[track_caller]
    fn wait(&self, state: &str) -> Value {
        let done = self
            .serve
            .cli(&["wait", &self.id, "--state", state, "--timeout", "20s"]);
        assert_eq!(done.code, 0, "{}: {}", done.stderr, self.agent());
        eventually("the state in ls", || {
            Some(self.agent()).filter(|agent| agent["state"] == state)
        })
    }
}

async fn body_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

fn profile(name: &str, url: &str) -> String {
    let key = name.to_uppercase();
    format!(
        "[[profile]]\nname = \"{name}\"\nprovider = \"anthropic\"\nbase_url = \"{url}\"\napi_key_env = \"{key}_KEY\"\n"
    )
}
