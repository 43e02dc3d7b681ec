//! Streams across dialects, event by event: what a hostile provider sends, and how any of it is cut.

use proptest::prelude::*;
use serde_json::{Value, json};
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{Crossing, Stream, Way};

use super::strict::{self, Said};

pub const ALL: [TranslatedDialect; 3] = [
    TranslatedDialect::Messages,
    TranslatedDialect::Chat,
    TranslatedDialect::Responses,
];

pub fn crossing(upstream: TranslatedDialect, caller: TranslatedDialect) -> Crossing {
    Crossing {
        caller,
        upstream,
        maker: Maker::of("http://upstream", upstream),
        model: "asked-model".to_owned(),
        id: "0123456789abcdef".to_owned(),
        created: 1_700_000_000,
        input_estimate: 11,
        way: Way::default(),
    }
}

/// One event of a provider's.
pub fn sent(name: &str, data: &Value) -> (String, String) {
    (name.to_owned(), data.to_string())
}

pub fn translated(
    upstream: TranslatedDialect,
    caller: TranslatedDialect,
    events: &[(String, String)],
    terminated: bool,
) -> Vec<u8> {
    let mut stream = Stream::new(crossing(upstream, caller));
    let mut out = Vec::new();
    for (name, data) in events {
        stream.take(name.as_bytes(), data.as_bytes(), &mut out);
    }
    if !terminated {
        stream.finish(&mut out);
    }
    out
}

fn read(
    upstream: TranslatedDialect,
    caller: TranslatedDialect,
    events: &[(String, String)],
    terminated: bool,
) -> Said {
    let out = translated(upstream, caller, events, terminated);
    strict::read(caller, &out).unwrap_or_else(|fault| {
        panic!(
            "{upstream:?} to {caller:?}: {fault}\n{}",
            String::from_utf8_lossy(&out)
        )
    })
}

fn chunk(delta: &Value) -> (String, String) {
    sent(
        "",
        &json!({"id": "c", "model": "real", "choices": [{"index": 0, "delta": delta}]}),
    )
}

fn finish(reason: &str) -> (String, String) {
    sent(
        "",
        &json!({"id": "c", "model": "real", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}),
    )
}

fn usage() -> (String, String) {
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107,
        "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 3},
    });
    sent(
        "",
        &json!({"id": "c", "model": "real", "choices": [], "usage": usage}),
    )
}

fn done() -> (String, String) {
    (String::new(), "[DONE]".to_owned())
}

fn call(index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) -> (String, String) {
    chunk(
        &json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]}),
    )
}

const FOREIGN: [TranslatedDialect; 2] = [TranslatedDialect::Messages, TranslatedDialect::Responses];

fn named(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), arguments.to_owned())
}

fn calls_end(caller: TranslatedDialect) -> &'static str {
    match caller {
        TranslatedDialect::Messages => "tool_use",
        TranslatedDialect::Chat => "tool_calls",
        TranslatedDialect::Responses => "completed",
    }
}

fn plain_end(caller: TranslatedDialect) -> &'static str {
    match caller {
        TranslatedDialect::Messages => "end_turn",
        TranslatedDialect::Chat => "stop",
        TranslatedDialect::Responses => "completed",
    }
}

#[test]
fn empty_tool_calls_beside_content_are_no_calls() {
    let events = [
        chunk(&json!({"role": "assistant", "content": "", "tool_calls": []})),
        chunk(&json!({"content": "Hi", "tool_calls": []})),
        finish("stop"),
        usage(),
        done(),
    ];
    for caller in FOREIGN {
        let said = read(TranslatedDialect::Chat, caller, &events, true);
        assert_eq!(
            (said.text.as_str(), said.calls.len(), said.end.as_str()),
            ("Hi", 0, plain_end(caller))
        );
        assert_eq!(said.model, "real");
    }
}

#[test]
fn reasoning_then_text_then_split_arguments() {
    let events = [
        chunk(
            &json!({"role": "assistant", "content": null, "reasoning": "h", "reasoning_content": "h", "reasoning_details": [{"type": "reasoning.text", "text": "h"}]}),
        ),
        chunk(&json!({"reasoning": "m"})),
        chunk(&json!({"content": "Look"})),
        call(0, Some("call_1"), Some("read"), ""),
        call(0, None, None, "{\"a\""),
        call(0, None, None, ":1}"),
        finish("tool_calls"),
        usage(),
        done(),
    ];
    for caller in FOREIGN {
        let said = read(TranslatedDialect::Chat, caller, &events, true);
        assert_eq!(
            (said.reasoning.as_str(), said.text.as_str()),
            ("hm", "Look")
        );
        assert_eq!(said.calls, [named("call_1", "read", "{\"a\":1}")]);
        assert_eq!(said.end, calls_end(caller));
    }
}

#[test]
fn reasoning_that_its_provider_never_ended_has_its_mark_all_the_same() {
    let told = |event: Value| sent(event["type"].as_str().unwrap(), &event);
    let events = [
        told(json!({"type": "response.created", "response": {"id": "r", "model": "m"}})),
        told(
            json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"type": "reasoning", "id": "rs_1", "summary": []}}),
        ),
        told(
            json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0,
            "summary_index": 0, "delta": "hm"}),
        ),
        told(
            json!({"type": "response.completed", "response": {"id": "r", "status": "completed", "output": []}}),
        ),
    ];
    let (from, to) = (TranslatedDialect::Responses, TranslatedDialect::Messages);
    let said = strict::read(to, &translated(from, to, &events, true)).unwrap();
    assert_eq!(said.reasoning, "hm");
}

#[test]
fn two_calls_that_come_mixed_are_told_apart() {
    let events = [
        call(0, Some("call_1"), Some("read"), "{\"a\""),
        call(1, Some("call_2"), Some("write"), "{\"b\""),
        call(0, None, None, ":1}"),
        call(1, None, None, ":2}"),
        finish("tool_calls"),
        done(),
    ];
    for caller in FOREIGN {
        let said = read(TranslatedDialect::Chat, caller, &events, true);
        assert_eq!(
            said.calls,
            [
                named("call_1", "read", "{\"a\":1}"),
                named("call_2", "write", "{\"b\":2}")
            ]
        );
    }
}

#[test]
fn calls_that_share_an_index_are_told_apart_by_their_ids() {
    let events = [
        call(0, Some("call_1"), Some("read"), "{}"),
        call(0, Some("call_2"), Some("write"), "{\"b\":2}"),
        finish("stop"),
        done(),
    ];
    for caller in FOREIGN {
        let said = read(TranslatedDialect::Chat, caller, &events, true);
        assert_eq!(
            said.calls,
            [
                named("call_1", "read", "{}"),
                named("call_2", "write", "{\"b\":2}")
            ]
        );
        assert_eq!(said.end, calls_end(caller), "stop with calls");
    }
}

#[test]
fn a_tool_without_arguments_gets_an_empty_object() {
    for arguments in ["", "{}"] {
        let events = [
            call(0, Some("call_1"), Some("list"), arguments),
            finish("tool_calls"),
            done(),
        ];
        for caller in FOREIGN {
            let said = read(TranslatedDialect::Chat, caller, &events, true);
            assert_eq!(said.calls, [named("call_1", "list", "{}")]);
        }
    }
}

#[test]
fn usage_in_a_last_chunk_of_its_own_is_told() {
    let events = [
        chunk(&json!({"content": "Hi"})),
        finish("stop"),
        usage(),
        done(),
    ];
    let said = read(
        TranslatedDialect::Chat,
        TranslatedDialect::Messages,
        &events,
        true,
    );
    assert_eq!(
        (
            &said.usage["input_tokens"],
            &said.usage["cache_read_input_tokens"],
            &said.usage["output_tokens"]
        ),
        (&json!(40), &json!(60), &json!(7))
    );
    let said = read(
        TranslatedDialect::Chat,
        TranslatedDialect::Responses,
        &events,
        true,
    );
    assert_eq!(
        (
            &said.usage["input_tokens"],
            &said.usage["input_tokens_details"]["cached_tokens"],
            &said.usage["output_tokens_details"]["reasoning_tokens"]
        ),
        (&json!(100), &json!(60), &json!(3))
    );
}

#[test]
fn a_provider_that_ends_without_its_terminator_has_ended() {
    let events = [chunk(&json!({"content": "Hi"})), finish("length")];
    for (caller, end) in [
        (TranslatedDialect::Messages, "max_tokens"),
        (TranslatedDialect::Responses, "max_output_tokens"),
    ] {
        assert_eq!(
            read(TranslatedDialect::Chat, caller, &events, false).end,
            end
        );
    }
}

#[test]
fn a_whole_answer_in_one_event_is_an_answer() {
    let calls = json!([{"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{\"a\":1}"}}]);
    let chat = [
        sent(
            "",
            &json!({"id": "c", "model": "real", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Hi", "tool_calls": calls}}]}),
        ),
        done(),
    ];
    let output = json!([
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": "{\"a\":1}"},
    ]);
    let responses = [sent(
        "response.completed",
        &json!({"type": "response.completed", "response": {"id": "r", "model": "real", "status": "completed", "output": output, "usage": {"input_tokens": 1, "output_tokens": 2}}}),
    )];
    let content = json!([{"type": "text", "text": "Hi"}, {"type": "tool_use", "id": "call_1", "name": "read", "input": {"a": 1}}]);
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "real", "content": content, "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 2}});
    let messages = [
        sent(
            "message_start",
            &json!({"type": "message_start", "message": message}),
        ),
        sent("message_stop", &json!({"type": "message_stop"})),
    ];
    for (upstream, events) in [
        (TranslatedDialect::Chat, &chat[..]),
        (TranslatedDialect::Responses, &responses[..]),
        (TranslatedDialect::Messages, &messages[..]),
    ] {
        for caller in ALL.into_iter().filter(|caller| *caller != upstream) {
            let said = read(upstream, caller, events, true);
            assert_eq!(
                (said.text.as_str(), said.calls),
                ("Hi", vec![named("call_1", "read", "{\"a\":1}")]),
                "{upstream:?} {caller:?}"
            );
            assert_eq!(said.end, calls_end(caller));
        }
    }
}

#[test]
fn arguments_that_are_no_json_pass_where_they_are_text_and_fail_where_they_are_not() {
    let events = [
        call(0, Some("call_1"), Some("read"), "{\"a\": oops"),
        finish("tool_calls"),
        done(),
    ];
    let said = read(
        TranslatedDialect::Chat,
        TranslatedDialect::Responses,
        &events,
        true,
    );
    assert_eq!(said.calls, [named("call_1", "read", "{\"a\": oops")]);
    let said = read(
        TranslatedDialect::Chat,
        TranslatedDialect::Messages,
        &events,
        true,
    );
    assert!(
        said.error.unwrap()["message"]
            .as_str()
            .unwrap()
            .starts_with("parse error")
    );
}

/// A model's answer in the events of each dialect, with everything that all of them can tell.
fn full(upstream: TranslatedDialect) -> Vec<(String, String)> {
    match upstream {
        TranslatedDialect::Chat => vec![
            chunk(&json!({"role": "assistant", "reasoning_content": "hm"})),
            chunk(&json!({"content": "Hi "})),
            chunk(&json!({"content": "thére"})),
            call(0, Some("call_1"), Some("read"), "{\"a\""),
            call(0, None, None, ": 1.0}"),
            call(1, Some("call_2"), Some("list"), ""),
            finish("tool_calls"),
            usage(),
            done(),
        ],
        TranslatedDialect::Messages => {
            let start = |index: u32, block: Value| {
                sent(
                    "content_block_start",
                    &json!({"type": "content_block_start", "index": index, "content_block": block}),
                )
            };
            let delta = |index: u32, delta: Value| {
                sent(
                    "content_block_delta",
                    &json!({"type": "content_block_delta", "index": index, "delta": delta}),
                )
            };
            let stop = |index: u32| {
                sent(
                    "content_block_stop",
                    &json!({"type": "content_block_stop", "index": index}),
                )
            };
            vec![
                sent(
                    "message_start",
                    &json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "real", "content": [], "usage": {"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 1}}}),
                ),
                sent("ping", &json!({"type": "ping"})),
                start(
                    0,
                    json!({"type": "thinking", "thinking": "", "signature": ""}),
                ),
                delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
                delta(0, json!({"type": "signature_delta", "signature": "EqQB"})),
                stop(0),
                start(1, json!({"type": "text", "text": ""})),
                delta(1, json!({"type": "text_delta", "text": "Hi "})),
                sent("surprise", &json!({"type": "surprise"})),
                delta(1, json!({"type": "text_delta", "text": "thére"})),
                stop(1),
                start(
                    2,
                    json!({"type": "tool_use", "id": "call_1", "name": "read", "input": {}}),
                ),
                delta(
                    2,
                    json!({"type": "input_json_delta", "partial_json": "{\"a\""}),
                ),
                delta(
                    2,
                    json!({"type": "input_json_delta", "partial_json": ": 1.0}"}),
                ),
                stop(2),
                start(
                    3,
                    json!({"type": "tool_use", "id": "call_2", "name": "list", "input": {}}),
                ),
                delta(3, json!({"type": "input_json_delta", "partial_json": ""})),
                stop(3),
                sent(
                    "message_delta",
                    &json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": {"output_tokens": 7}}),
                ),
                sent("message_stop", &json!({"type": "message_stop"})),
            ]
        }
        TranslatedDialect::Responses => {
            let event = |kind: &str, mut data: Value| {
                data["type"] = json!(kind);
                sent(kind, &data)
            };
            let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"});
            let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hi thére"}]});
            let read = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": "{\"a\": 1.0}"});
            let list = json!({"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "list", "arguments": "{}"});
            let usage = json!({"input_tokens": 100, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 60}, "output_tokens_details": {"reasoning_tokens": 3}});
            vec![
                event(
                    "response.created",
                    json!({"response": {"id": "resp_1", "model": "real", "status": "in_progress", "output": []}}),
                ),
                event(
                    "response.output_item.added",
                    json!({"output_index": 0, "item": {"type": "reasoning", "id": "rs_1", "summary": []}}),
                ),
                event(
                    "response.reasoning_summary_text.delta",
                    json!({"output_index": 0, "summary_index": 0, "delta": "hm"}),
                ),
                event(
                    "response.output_item.done",
                    json!({"output_index": 0, "item": reasoning}),
                ),
                event(
                    "response.output_item.added",
                    json!({"output_index": 1, "item": {"type": "message", "id": "msg_1", "role": "assistant", "content": []}}),
                ),
                event(
                    "response.output_text.delta",
                    json!({"output_index": 1, "content_index": 0, "delta": "Hi "}),
                ),
                event(
                    "response.output_text.delta",
                    json!({"output_index": 1, "content_index": 0, "delta": "thére"}),
                ),
                event(
                    "response.output_text.done",
                    json!({"output_index": 1, "content_index": 0, "text": "Hi thére"}),
                ),
                event(
                    "response.output_item.done",
                    json!({"output_index": 1, "item": message}),
                ),
                event(
                    "response.output_item.added",
                    json!({"output_index": 2, "item": {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": ""}}),
                ),
                event(
                    "response.function_call_arguments.delta",
                    json!({"output_index": 2, "delta": "{\"a\""}),
                ),
                event(
                    "response.function_call_arguments.delta",
                    json!({"output_index": 2, "delta": ": 1.0}"}),
                ),
                event(
                    "response.function_call_arguments.done",
                    json!({"output_index": 2, "arguments": "{\"a\": 1.0}"}),
                ),
                event(
                    "response.output_item.done",
                    json!({"output_index": 2, "item": read}),
                ),
                event(
                    "response.output_item.done",
                    json!({"output_index": 3, "item": list}),
                ),
                event(
                    "response.completed",
                    json!({"response": {"id": "resp_1", "model": "real", "status": "completed", "output": [reasoning, message, read, list], "usage": usage}}),
                ),
            ]
        }
    }
}

#[test]
fn everything_that_a_model_says_arrives_in_every_direction() {
    for upstream in ALL {
        for caller in ALL.into_iter().filter(|caller| *caller != upstream) {
            let said = read(upstream, caller, &full(upstream), true);
            assert_eq!(
                (said.reasoning.as_str(), said.text.as_str()),
                ("hm", "Hi thére"),
                "{upstream:?} {caller:?}"
            );
            assert_eq!(
                said.calls,
                [
                    named("call_1", "read", "{\"a\": 1.0}"),
                    named("call_2", "list", "{}")
                ]
            );
            assert_eq!(
                (said.end.as_str(), said.model.as_str()),
                (calls_end(caller), "real")
            );
        }
    }
}

#[test]
fn an_error_ends_a_stream_without_success() {
    for upstream in ALL {
        for caller in ALL.into_iter().filter(|caller| *caller != upstream) {
            let events = full(upstream);
            for cut in 0..events.len() {
                let mut stream = Stream::new(crossing(upstream, caller));
                let mut out = Vec::new();
                for (name, data) in &events[..cut] {
                    stream.take(name.as_bytes(), data.as_bytes(), &mut out);
                }
                stream.fail(500, "broken", &mut out);
                // Nothing that comes after it is told.
                for (name, data) in &events[cut..] {
                    stream.take(name.as_bytes(), data.as_bytes(), &mut out);
                }
                let said = strict::read(caller, &out)
                    .unwrap_or_else(|fault| panic!("{fault}\n{}", String::from_utf8_lossy(&out)));
                assert_eq!(said.error.unwrap()["message"], "broken");
            }
        }
    }
}

fn cut_up(text: &str) -> impl Strategy<Value = Vec<String>> + use<> {
    let letters: Vec<char> = text.chars().collect();
    proptest::collection::vec(any::<prop::sample::Index>(), 0..6).prop_map(move |cuts| {
        let mut at: Vec<usize> = cuts
            .iter()
            .map(|cut| cut.index(letters.len() + 1))
            .collect();
        at.extend([0, letters.len()]);
        at.sort_unstable();
        at.windows(2)
            .map(|pair| letters[pair[0]..pair[1]].iter().collect())
            .collect()
    })
}

proptest! {
    /// However a provider cuts its words and its calls, and however it mixes the calls, the caller reads the same.
    #[test]
    fn cuts_and_mixtures_do_not_matter(
        text in ".{0,40}".prop_flat_map(|text| cut_up(&text)),
        first in "[a-z ]{0,20}".prop_map(|word| json!({"path": word}).to_string()).prop_flat_map(|text| cut_up(&text)),
        second in "\\PC{0,20}".prop_map(|word| json!({"text": word}).to_string()).prop_flat_map(|text| cut_up(&text)),
        order in proptest::collection::vec(any::<bool>(), 0..16),
    ) {
        let mut events: Vec<(String, String)> = text.iter().map(|piece| chunk(&json!({"content": piece}))).collect();
        events.push(call(0, Some("call_1"), Some("read"), ""));
        events.push(call(1, Some("call_2"), Some("write"), ""));
        let (mut a, mut b) = (first.iter(), second.iter());
        for turn in order.iter().chain(std::iter::repeat_n(&true, 10)).chain(std::iter::repeat_n(&false, 10)) {
            let (index, piece) = if *turn { (0, a.next()) } else { (1, b.next()) };
            events.extend(piece.map(|piece| call(index, None, None, piece)));
        }
        events.extend([finish("tool_calls"), done()]);
        for caller in FOREIGN {
            let said = read(TranslatedDialect::Chat, caller, &events, true);
            prop_assert_eq!(&said.text, &text.concat());
            prop_assert_eq!(&said.calls, &[named("call_1", "read", &first.concat()), named("call_2", "write", &second.concat())]);
        }
    }

    /// Whatever the events hold, the caller's stream is one that its dialect allows.
    #[test]
    fn any_part_of_a_stream_is_a_stream(drop in proptest::collection::vec(any::<bool>(), 30)) {
        for upstream in ALL {
            let events: Vec<_> = full(upstream).into_iter().zip(&drop).filter(|(_, drop)| !**drop).map(|(event, _)| event).collect();
            for caller in ALL.into_iter().filter(|caller| *caller != upstream) {
                let out = translated(upstream, caller, &events, false);
                let read = strict::read(caller, &out);
                prop_assert!(read.is_ok(), "{:?} {:?}: {:?}\n{}", upstream, caller, read, String::from_utf8_lossy(&out));
            }
        }
    }
}
