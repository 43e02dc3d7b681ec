//! Feeds the local socket's reader any line: it never panics, and what it refuses it refuses in words.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tundra_fuzz::write;

const LINES: &[&str] = &[
    r#""list""#,
    r#"{"op":"list"}"#,
    r#"{"op":"open","name":"build","command":["cargo","test"],"cwd":"/home","env":[["A","b"]],"cols":80,"rows":24,"persistent":true,"agent":"claude","budget_nanodollars":5,"budget_tokens":7,"gateway":true,"confine":false}"#,
    r#"{"op":"input","id":"build","parts":[{"text":"ls"},{"paste":"a\nb"},{"key":"ctrl-c"}]}"#,
    r#"{"op":"capture","id":"0","scrollback":true,"ansi":true}"#,
    r#"{"op":"resize","id":"0","cols":1,"rows":65535}"#,
    r#"{"op":"rename","id":"0","name":"x"}"#,
    r#"{"op":"kill","id":"0"}"#,
    r#"{"op":"wait","id":"0","until":{"text":"a+(b|c)"},"timeout_ms":18446744073709551615}"#,
    r#"{"op":"wait","id":"0","until":{"state":"waiting"},"timeout_ms":1}"#,
    r#"{"op":"wait","id":"0","until":"exit","timeout_ms":1}"#,
    r#"{"op":"status"}"#,
    r#"{"op":"url","id":null}"#,
    r#"{"op":"budget","id":"0","change":{"nanodollars":1,"tokens":2,"off":false}}"#,
    r#"{"op":"steer","verb":"failover","profile":"claude","hold_ms":600000}"#,
    r#"{"op":"steer","verb":"pin","profile":"claude","hold_ms":null}"#,
    r#"{"op":"log_filter","filter":"info,tundra=debug"}"#,
    r#"{"op":"store_log","most":3}"#,
    r#"{"op":"store_diff","from":"a","to":"b"}"#,
    r#"{"op":"ask","prompt":"hi","model":"m","profile":"p"}"#,
    r#"{"op":"lend","environment":[["TERM","xterm"]],"modes":{"input":1,"output":1,"control":1,"local":1,"min":1,"time":0},"command":["ls"],"cwd":"/","inside":null}"#,
    r#"{"op":"upgrade","program":"/usr/bin/tundra"}"#,
    r#"{"op":"stop","force":true}"#,
];

fuzz_target!(
    init: write(LINES.iter().map(|line| line.as_bytes().to_vec())),
    |line: &[u8]| {
        if let Err(refused) = tundra::control::check(line) {
            assert!(!refused.message.is_empty());
        }
    }
);
