//! Gemini's command line: pointed at the gateway where a profile speaks its dialect, and seen then like any other.

use serde_json::{Value, json};

use crate::support::client::client;
use crate::support::upstream::{Upstream, json as whole};
use crate::support::{Home, Serve, eventually};

const ASKED: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"tools":[{"functionDeclarations":[{"name":"run"}]}]}"#;

fn answer(part: &Value) -> String {
    json!({
        "candidates": [{"content": {"parts": [part], "role": "model"}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 40, "candidatesTokenCount": 2, "totalTokenCount": 42},
    })
    .to_string()
}

/// An instance whose `gemini` is a shell that says what it was given.
fn instance(upstream: &Upstream, config: &str) -> (Serve, String) {
    let home = Home::with_config(config);
    let tool = home.script(
        "bin/gemini",
        "#!/bin/sh\n[ \"$1\" = --version ] && exec echo 0.46.0\n\
         echo url=$GOOGLE_GEMINI_BASE_URL. key=$GEMINI_API_KEY.\nexec cat\n",
    );
    let path = format!("{}:/usr/bin:/bin", tool.parent().unwrap().display());
    let mut command = home.tundra(&["serve", "--print-ready"]);
    command.env("PATH", path).env("GEMINI_API_KEY", "AIza-own");
    let serve = Serve::from(home, command);
    assert_eq!(upstream.requests(), 0);
    let made = serve.cli(&["new", "--agent", "gemini", "--cols", "150", "--rows", "10"]);
    let id = made.ok().trim().to_owned();
    (serve, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_state_and_usage_are_told_by_the_wire() {
    let upstream = Upstream::start(whole(200, answer(&json!({"text": "Hi"}))));
    let config = format!(
        "[[profile]]\nname = \"gemini\"\nprovider = \"gemini\"\nbase_url = \"{}\"\n",
        upstream.url()
    );
    let (serve, id) = instance(&upstream, &config);
    serve.wait_text(&id, r"key=tundra-[0-9a-f]{64}\.");
    let screen = serve.joined(&id);
    let url = serve.ready()["gateway_url"].as_str().unwrap();
    assert!(screen.contains(&format!("url={url}.")), "{screen}");
    let agent = || serve.terminal(&id)["agent"].clone();
    assert_eq!(agent()["observed"], true);
    let listed: Value = serde_json::from_str(&serve.cli(&["agents", "--json"]).ok()).unwrap();
    let listed = listed.as_array().unwrap().iter();
    let gemini = listed
        .clone()
        .find(|agent| agent["name"] == "gemini")
        .unwrap();
    assert_eq!(
        (&gemini["observed"], &gemini["note"]),
        (&true.into(), &Value::Null)
    );

    let (_, after) = screen.split_once("key=").unwrap();
    let (key, _) = after.split_once('.').unwrap();
    let client = client();
    let ask = async |method: &str| {
        let url = format!("{url}/v1beta/models/gemini-2.5-pro:{method}");
        let sent = client.post(url).header("x-goog-api-key", key).body(ASKED);
        sent.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask("generateContent").await, 200);
    let done = eventually("the answer is told", || {
        Some(agent()).filter(|agent| agent["state"] == "done")
    });
    assert_eq!(done["by"], "wire");
    let call = json!({"functionCall": {"name": "run", "args": {}}});
    upstream.usually(whole(200, answer(&call)));
    assert_eq!(ask("generateContent").await, 200);
    let waits = serve.cli(&["wait", &id, "--state", "waiting", "--timeout", "20s"]);
    assert_eq!(waits.code, 0, "{}: {}", waits.stderr, agent());
    upstream.usually(whole(
        403,
        r#"{"error":{"code":403,"message":"no","status":"PERMISSION_DENIED"}}"#,
    ));
    assert_eq!(ask("generateContent").await, 403);
    let failed = serve.cli(&["wait", &id, "--state", "failed", "--timeout", "20s"]);
    assert_eq!(failed.code, 0, "{}: {}", failed.stderr, agent());
    let usage = serve.terminal(&id)["usage"].clone();
    assert_eq!(usage["requests"], 3);
    assert_eq!(
        (&usage["tokens"]["input"], &usage["tokens"]["output"]),
        (&80.into(), &4.into())
    );
    let seen = upstream.seen();
    assert!(
        seen.iter()
            .all(|one| one.header("x-goog-api-key") == Some("AIza-own"))
    );
}

#[test]
fn where_nobody_speaks_its_dialect_it_stays_as_it_is_and_is_not_observed() {
    let upstream = Upstream::start(Vec::new());
    let config = super::profile("one", &upstream.url());
    let (serve, id) = instance(&upstream, &config);
    // The user's own key is none of tundra's.
    serve.wait_text(&id, r"url=\. key=AIza-own\.");
    let agent = serve.terminal(&id)["agent"].clone();
    assert_eq!(agent["observed"], false);
    assert_eq!(agent["message"], "not observed");
}
