//! Conversations that change providers: thinking over a switch and back, and marks that no stranger sees.

use serde_json::{Value, json};
use tundra::domain::profile::{Dialects, Profile, TranslatedDialect};
use tundra::domain::route::{By, RouterCommand};

use crate::support::stage::{Got, Stage, profile};
use crate::support::upstream::{Script, Seen, Upstream, json as whole, stream};

fn speaks(name: &str, url: &str, dialect: TranslatedDialect) -> Profile {
    let mut profile = profile(name, 1, url);
    profile.dialects = Dialects::of(&[dialect.into()]);
    profile
}

/// Thinks and calls a tool.
fn thoughtful(seen: &Seen) -> Script {
    let answer = if seen.path().starts_with("/v1/messages") {
        json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "content": [
            {"type": "thinking", "thinking": "native", "signature": "EqQB"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ], "usage": {"input_tokens": 1, "output_tokens": 1}})
    } else if seen.path().starts_with("/v1/chat") {
        json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "Look.", "reasoning_content": "foreign",
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }}]})
    } else {
        json!({"id": "r", "model": "m", "status": "completed", "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "theirs"}], "encrypted_content": "gAAA"},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"},
        ]})
    };
    whole(200, answer.to_string())
}

async fn ask(stage: &Stage, to: &str, path: &str, body: &Value) -> Value {
    let pin = RouterCommand::Pin(Stage::name(to));
    stage.gateway.command(&pin, By::Cli).unwrap();
    let got = Got::of(stage.post(path, body.to_string())).await;
    assert_eq!(
        (got.status.as_u16(), got.profile()),
        (200, Some(to)),
        "{}",
        got.text()
    );
    got.json()
}

fn last(upstream: &Upstream) -> Value {
    serde_json::from_slice(&upstream.seen().last().unwrap().body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thinking_goes_back_to_its_maker_alone() {
    for dialect in [TranslatedDialect::Chat, TranslatedDialect::Responses] {
        let native = Upstream::answering(thoughtful);
        let foreign = Upstream::answering(thoughtful);
        let stranger = Upstream::answering(thoughtful);
        let stage = Stage::quick(vec![
            speaks("native", &native.url(), TranslatedDialect::Messages),
            speaks("foreign", &foreign.url(), dialect),
            speaks("stranger", &stranger.url(), dialect),
        ])
        .await;
        let mut body = json!({
            "model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": "Go"}],
        });
        let add = |body: &mut Value, answer: &Value| {
            let call = answer["content"].as_array().unwrap().last().unwrap();
            let result = json!({"type": "tool_result", "tool_use_id": call["id"], "content": "ok"});
            let turns = body["messages"].as_array_mut().unwrap();
            turns.push(json!({"role": "assistant", "content": answer["content"]}));
            turns.push(json!({"role": "user", "content": [result]}));
        };
        let told = ask(&stage, "foreign", "/v1/messages", &body).await;
        let thought = &told["content"][0];
        let words = if dialect == TranslatedDialect::Chat {
            "foreign"
        } else {
            "theirs"
        };
        assert_eq!(
            (&thought["type"], &thought["thinking"]),
            (&json!("thinking"), &json!(words))
        );
        add(&mut body, &told);

        // Its maker reads it again, with what it proves it by.
        ask(&stage, "foreign", "/v1/messages", &body).await;
        let sent = last(&foreign);
        if dialect == TranslatedDialect::Chat {
            assert_eq!(sent["messages"][1]["reasoning_content"], "foreign");
        } else {
            assert_eq!(
                (
                    &sent["input"][1]["type"],
                    &sent["input"][1]["id"],
                    &sent["input"][1]["encrypted_content"]
                ),
                (&json!("reasoning"), &json!("rs_1"), &json!("gAAA"))
            );
        }
        // Another of the same dialect does not.
        ask(&stage, "stranger", "/v1/messages", &body).await;
        let sent = last(&stranger).to_string();
        assert!(
            !sent.contains("tundra-1")
                && !sent.contains("reasoning_content")
                && !sent.contains("gAAA")
                && !sent.contains(words),
            "{sent}"
        );

        // Nor does the native one, which cannot think in the middle of this loop.
        let told = ask(&stage, "native", "/v1/messages", &body).await;
        let sent = last(&native);
        assert!(!sent.to_string().contains("tundra-1"), "{sent}");
        assert_eq!(
            (
                &sent["thinking"],
                sent["messages"][1]["content"].as_array().unwrap()[0]["type"].as_str()
            ),
            (
                &Value::Null,
                Some(if dialect == TranslatedDialect::Chat {
                    "text"
                } else {
                    "tool_use"
                })
            )
        );
        add(&mut body, &told);

        // What the native one thought is its own, byte for byte, and nobody else's.
        body["messages"]
            .as_array_mut()
            .unwrap()
            .push(json!({"role": "user", "content": "On"}));
        ask(&stage, "native", "/v1/messages", &body).await;
        let sent = last(&native);
        assert_eq!(
            (
                &sent["thinking"]["type"],
                &sent["messages"][3]["content"][0]["signature"]
            ),
            (&json!("enabled"), &json!("EqQB"))
        );
        ask(&stage, "foreign", "/v1/messages", &body).await;
        assert!(!last(&foreign).to_string().contains("EqQB"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_responses_callers_items_only_the_marks_go() {
    let native = Upstream::answering(thoughtful);
    let foreign = Upstream::answering(thoughtful);
    let stage = Stage::quick(vec![
        speaks("native", &native.url(), TranslatedDialect::Responses),
        speaks("foreign", &foreign.url(), TranslatedDialect::Messages),
    ])
    .await;
    let mut body = json!({"model": "m", "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}], "reasoning": {"effort": "low"}, "input": [{"role": "user", "content": "Go"}]});
    let told = ask(&stage, "foreign", "/v1/responses", &body).await;
    let output = told["output"].as_array().unwrap();
    assert_eq!(
        (&output[0]["type"], &output[0]["summary"][0]["text"]),
        (&json!("reasoning"), &json!("native"))
    );
    body["input"]
        .as_array_mut()
        .unwrap()
        .extend(output.iter().cloned());
    body["input"].as_array_mut().unwrap().push(
        json!({"type": "function_call_output", "call_id": output[1]["call_id"], "output": "ok"}),
    );
    ask(&stage, "foreign", "/v1/responses", &body).await;
    let sent = last(&foreign);
    assert_eq!(
        sent["messages"][1]["content"][0],
        json!({"type": "thinking", "thinking": "native", "signature": "EqQB"})
    );
    assert_eq!(sent["thinking"]["type"], "enabled");
    ask(&stage, "native", "/v1/responses", &body).await;
    let sent = last(&native);
    assert!(!sent.to_string().contains("tundra"), "{sent}");
    assert_eq!(
        (
            sent["input"].as_array().unwrap().len(),
            &sent["input"][1]["type"],
            &sent["input"][1]["call_id"]
        ),
        (3, &json!("function_call"), &json!("toolu_1"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_callers_reasoning_is_marked_beside_its_words() {
    let native = Upstream::answering(thoughtful);
    let foreign = Upstream::answering(thoughtful);
    let stage = Stage::quick(vec![
        speaks("native", &native.url(), TranslatedDialect::Chat),
        speaks("foreign", &foreign.url(), TranslatedDialect::Messages),
    ])
    .await;
    let mut body = json!({"model": "m", "reasoning_effort": "low", "max_tokens": 9000, "tools": [{"type": "function", "function": {"name": "f"}}], "messages": [{"role": "user", "content": "Go"}]});
    let told = ask(&stage, "foreign", "/v1/chat/completions", &body).await;
    let message = &told["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "native");
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(message.clone());
    turns.push(json!({"role": "tool", "tool_call_id": "toolu_1", "content": "ok"}));
    ask(&stage, "foreign", "/v1/chat/completions", &body).await;
    assert_eq!(
        last(&foreign)["messages"][1]["content"][0]["signature"],
        "EqQB"
    );
    ask(&stage, "native", "/v1/chat/completions", &body).await;
    let sent = last(&native);
    assert_eq!(
        (
            &sent["messages"][1]["reasoning_content"],
            &sent["messages"][1]["reasoning_details"]
        ),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], "toolu_1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_native_request_without_marks_is_byte_for_byte() {
    let native = Upstream::answering(thoughtful);
    let stage = Stage::quick(vec![speaks(
        "native",
        &native.url(),
        TranslatedDialect::Messages,
    )])
    .await;
    let body = "{ \"model\" : \"m\",\"messages\":[ {\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"tundra-1.\",\"signature\":\"EqQB\"}]}], \"max_tokens\":1e2}";
    let got = Got::of(stage.post("/v1/messages", body)).await;
    assert_eq!(got.status, 200);
    assert_eq!(String::from_utf8_lossy(&native.seen()[0].body), body);
}

/// What Claude thinks as `OpenRouter` tells it: signed details beside its words, in pieces where it streams.
fn signed(seen: &Seen) -> Script {
    let asked: Value = serde_json::from_slice(&seen.body).unwrap();
    let detail = |more: Value| {
        let mut detail =
            json!({"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0});
        let members = detail.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        detail
    };
    let call = json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    if asked["stream"] != true {
        let details = [detail(json!({"text": "Let me see.", "signature": "EqQB"}))];
        let message = json!({"role": "assistant", "content": "", "reasoning": "Let me see.", "reasoning_details": details, "tool_calls": [call]});
        let answer = json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]});
        return whole(200, answer.to_string());
    }
    let piece = |delta: Value| {
        let chunk = json!({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]});
        format!("data: {chunk}\n\n")
    };
    let end =
        json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
    stream(&[
        piece(
            json!({"role": "assistant", "content": "", "reasoning": "Let me ", "reasoning_details": [detail(json!({"text": "Let me "}))]}),
        ),
        piece(json!({"reasoning": "see.", "reasoning_details": [detail(json!({"text": "see."}))]})),
        piece(
            json!({"content": "", "reasoning": null, "reasoning_details": [detail(json!({"signature": "EqQB"}))]}),
        ),
        piece(json!({"tool_calls": [call]})),
        format!("data: {end}\n\ndata: [DONE]\n\n"),
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_reasoning_details_come_back_to_their_maker_as_they_were() {
    let wanted = json!([{"type": "reasoning.text", "text": "Let me see.", "signature": "EqQB", "format": "anthropic-claude-v1", "index": 0}]);
    for streams in [false, true] {
        let router = Upstream::answering(signed);
        let stranger = Upstream::answering(signed);
        let stage = Stage::quick(vec![
            speaks("router", &router.url(), TranslatedDialect::Chat),
            speaks("stranger", &stranger.url(), TranslatedDialect::Chat),
        ])
        .await;
        let mut body = json!({
            "model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2000}, "stream": streams,
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": "Go"}],
        });
        let send = async |to: &str, body: &Value| {
            let pin = RouterCommand::Pin(Stage::name(to));
            stage.gateway.command(&pin, By::Cli).unwrap();
            Got::of(stage.post("/v1/messages", body.to_string())).await
        };
        let got = send("router", &body).await;
        let (thinking, signature, id) = if streams {
            let text = got.text();
            let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let events: Vec<Value> = events
                .map(|data| serde_json::from_str(data).unwrap())
                .collect();
            let told = |key: &str| -> String {
                let deltas = events
                    .iter()
                    .filter_map(|event| event["delta"][key].as_str());
                deltas.collect()
            };
            let call = events
                .iter()
                .find(|event| event["content_block"]["type"] == "tool_use");
            let id = call.unwrap()["content_block"]["id"].clone();
            (told("thinking"), told("signature"), id)
        } else {
            let told = got.json();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let thought = &told["content"][0];
            (
                text(&thought["thinking"]),
                text(&thought["signature"]),
                told["content"][1]["id"].clone(),
            )
        };
        assert_eq!(thinking, "Let me see.", "{}", got.text());
        let turns = body["messages"].as_array_mut().unwrap();
        turns.push(json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": thinking, "signature": signature},
            {"type": "tool_use", "id": id, "name": "f", "input": {}},
        ]}));
        turns.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "ok"}]}));
        assert_eq!(send("router", &body).await.status, 200);
        assert_eq!(
            last(&router)["messages"][1]["reasoning_details"],
            wanted,
            "streams: {streams}"
        );
        assert_eq!(send("stranger", &body).await.status, 200);
        assert!(!last(&stranger).to_string().contains("EqQB"));
    }
}
