//! A login is gone from the process's memory once its request is over.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant as Clock};

use super::*;
use crate::support::skip;
use crate::support::upstream::stream;

/// How long what a request held may take to be given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of the memory at a time; a secret lies on an edge at most once.
const PIECE: usize = 1024 * 1024;

/// The places in a process's memory that hold one of `secrets`, with what stands around them; `None` where the memory of
/// a process that lets nobody trace it cannot be read, since whoever runs the tests is not root.
fn places(pid: u32, secrets: &[&str]) -> Option<Vec<String>> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = Vec::new();
    let mut piece = vec![0; PIECE + 4096];
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (Some(range), Some(rights)) = (words.next(), words.next()) else {
            continue;
        };
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16).unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let name = words.last().unwrap_or_default();
        for at in (start..end).step_by(PIECE) {
            let size = usize::try_from(end - at).unwrap().min(piece.len());
            // A mapping may go meanwhile.
            let Ok(read) = memory.read_at(&mut piece[..size], at) else {
                continue;
            };
            for secret in secrets {
                let finder = memchr::memmem::Finder::new(secret);
                found.extend(finder.find_iter(&piece[..read]).map(|offset| {
                    let before = offset.saturating_sub(120);
                    let around = &piece[before..(offset + 120).min(read)];
                    let address = at + offset as u64;
                    format!("{address:x} in {name}: {}", around.escape_ascii())
                }));
            }
        }
    }
    Some(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_in_no_memory_once_its_request_is_over() {
    const STREAM: [&str; 3] = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-5\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ];
    let echoes = |seen: &crate::support::upstream::Seen| {
        let echoed = seen.header("authorization").unwrap_or_default();
        plain(401, format!(r#"{{"error":{{"message":"bad {echoed}"}}}}"#))
    };
    let login = Upstream::answering(echoes);
    let config = caller("claude-login", "anthropic", &login.url())
        + &caller("chatgpt-login", "openai", &login.url());
    let instance = Instance::start(&config);
    let pid = instance.serve.pid();
    if places(pid, &[TOKEN]).is_none() {
        skip("the memory of an instance can only be read by root");
        return;
    }
    instance.serve.cli(&["logs", "level", "trace"]);
    let cookie = "session=planted-cookie-0123456789";
    let codex = "eyJhbGciOiJub25lIn0.planted-chatgpt-login-0123456789.signature";
    let long = MESSAGE.replace("hi", &"hi ".repeat(100_000));
    for round in 0..3 {
        login
            .then(plain(200, ANSWER))
            .then(stream(&STREAM))
            .then(used_up(0))
            .then(plain(200, ANSWER))
            .then(vec![Step::Close])
            .then(answer(307, &[("location", "http://127.0.0.1:9/")], ""))
            .then(plain(200, RESPONSE));
        // The connections to the gateway stay open all the while.
        let claude = |body: String| {
            let asked = instance.claude(TOKEN, body);
            asked.header("cookie", cookie).header("x-round", round)
        };
        Got::of(claude(MESSAGE.to_owned())).await;
        Got::of(claude(MESSAGE.replacen('{', r#"{"stream":true,"#, 1))).await;
        Got::of(claude(MESSAGE.to_owned())).await;
        Got::of(claude(long.clone())).await;
        Got::of(claude(MESSAGE.to_owned())).await;
        Got::of(claude(MESSAGE.to_owned())).await;
        Got::of(instance.codex(codex)).await;
        // The provider says the login aloud.
        Got::of(claude(MESSAGE.to_owned())).await;
        // Refused before anybody is asked.
        Got::of(claude("no JSON".to_owned())).await;
        let wrong = instance.client.post(instance.url("/v1/messages"));
        Got::of(wrong.bearer_auth(TOKEN).body(MESSAGE)).await;
        let hidden = instance
            .client
            .get(instance.url("/v1/models?client_version=1"));
        Got::of(
            hidden
                .bearer_auth(codex)
                .header("x-tundra-key", &instance.key),
        )
        .await;
    }
    let secrets = [TOKEN, codex, cookie];
    let ends = Clock::now() + PATIENCE;
    let left = loop {
        let left = places(pid, &secrets).unwrap();
        if left.is_empty() || Clock::now() > ends {
            break left;
        }
        tokio::task::yield_now().await;
    };
    assert!(left.is_empty(), "{} places: {left:#?}", left.len());
}
