//! The store from the outside: what happened survives, the journal is anybody's to read, and Dolt gets a copy.

mod copy;
mod dolt;
mod journal;
mod killed;
mod mariadb;
mod proxy;
mod servers;

use serde_json::{Value, json};

use crate::support::upstream::{self, Script, Upstream};
use crate::support::{Home, Serve};

/// A provider's key, which must turn up nowhere.
const SECRET: &str = "sk-ant-very-secret-0123456789";

/// An answer with usage.
fn answer() -> Script {
    let body = json!({
        "id": "m", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514",
        "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 1000, "output_tokens": 200},
    });
    upstream::json(200, body.to_string())
}

/// Two profiles, `first` before `second`, and more of a configuration.
fn two(first: &Upstream, second: &Upstream, more: &str) -> String {
    let profile = |name: &str, priority: u8, upstream: &Upstream| {
        format!(
            "[[profile]]\nname = \"{name}\"\nprovider = \"anthropic\"\npriority = {priority}\nbase_url = \"{}\"\n",
            upstream.url()
        )
    };
    format!(
        "[gateway]\nbind = \"127.0.0.1:0\"\n[remote]\nbind = \"127.0.0.1:0\"\n{more}\n{}{}",
        profile("first", 1, first),
        profile("second", 2, second)
    )
}

fn serve(home: Home) -> Serve {
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("ANTHROPIC_API_KEY", SECRET);
    Serve::from(home, command)
}

/// Ends an instance and answers its home.
fn stop(mut serve: Serve) -> Home {
    serve.end(rustix::process::Signal::TERM);
    let home = Home::taken_from(&mut serve.home);
    drop(serve);
    home
}

fn history(home: &Home, args: &[&str]) -> Vec<Value> {
    let mut line = vec!["history", "--json"];
    line.extend(args);
    let told = home.cli(&line).json();
    told.as_array().unwrap().clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["kind"].as_str().unwrap());
    kinds.collect()
}
