//! Requests and answers as each dialect's clients and providers send them.

use tundra::domain::profile::TranslatedDialect;

use crate::support::upstream::{Script, Seen, json, stream};

pub const ALL: [TranslatedDialect; 3] = TranslatedDialect::ALL;

pub fn path(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => "/v1/messages",
        TranslatedDialect::Chat => "/v1/chat/completions",
        TranslatedDialect::Responses => "/v1/responses",
    }
}

pub fn request(dialect: TranslatedDialect, stream: bool) -> String {
    let content = match dialect {
        TranslatedDialect::Messages => {
            r#""max_tokens":100,"messages":[{"role":"user","content":"Say hi"}]"#
        }
        TranslatedDialect::Chat => {
            r#""messages":[{"role":"user","content":"Say hi"}],"stream_options":{"include_usage":true}"#
        }
        TranslatedDialect::Responses => r#""input":"Say hi""#,
    };
    format!(r#"{{"model":"some-model", "stream":{stream}, {content}}}"#)
}

/// A whole answer: 12 input tokens besides 5 from a cache, 7 output.
pub fn answer(dialect: TranslatedDialect) -> String {
    match dialect {
        TranslatedDialect::Messages => r#"{"id":"msg_1","type":"message","role":"assistant","model":"some-model","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":5,"cache_creation_input_tokens":0,"output_tokens":7}}"#,
        TranslatedDialect::Chat => r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"some-model","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":17,"completion_tokens":7,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":5}}}"#,
        TranslatedDialect::Responses => r#"{"id":"resp_1","object":"response","status":"completed","error":null,"model":"some-model","output":[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":17,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":24}}"#,
    }
    .to_owned()
}

/// The events of a whole stream: lifecycle, three deltas that say "Hi there!", the end with usage as in [`answer`].
pub fn events(dialect: TranslatedDialect) -> Vec<String> {
    let mut events = lifecycle(dialect);
    events.extend(["Hi", " there", "!"].map(|text| delta(dialect, text)));
    events.extend(ending(dialect));
    events
}

pub fn lifecycle(dialect: TranslatedDialect) -> Vec<String> {
    match dialect {
        TranslatedDialect::Messages => vec![
            named(
                r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"some-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"cache_read_input_tokens":5,"cache_creation_input_tokens":0,"output_tokens":1}}}"#,
            ),
            named(
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ),
            named(r#"{"type":"ping"}"#),
        ],
        TranslatedDialect::Chat => vec![
            ": OPENROUTER PROCESSING\n\n".to_owned(),
            data(
                r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            ),
        ],
        TranslatedDialect::Responses => vec![
            named(
                r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","error":null,"model":"some-model","output":[]}}"#,
            ),
            named(
                r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message","id":"m","role":"assistant","status":"in_progress","content":[]}}"#,
            ),
            named(
                r#"{"type":"response.content_part.added","sequence_number":2,"item_id":"m","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}"#,
            ),
        ],
    }
}

pub fn delta(dialect: TranslatedDialect, text: &str) -> String {
    match dialect {
        TranslatedDialect::Messages => named(&format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        )),
        TranslatedDialect::Chat => data(&format!(
            r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}],"usage":null}}"#
        )),
        TranslatedDialect::Responses => named(&format!(
            r#"{{"type":"response.output_text.delta","sequence_number":3,"item_id":"m","output_index":0,"content_index":0,"delta":"{text}","logprobs":[]}}"#
        )),
    }
}

pub fn ending(dialect: TranslatedDialect) -> Vec<String> {
    match dialect {
        TranslatedDialect::Messages => vec![
            named(r#"{"type":"content_block_stop","index":0}"#),
            named(
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}"#,
            ),
            named(r#"{"type":"message_stop"}"#),
        ],
        TranslatedDialect::Chat => vec![
            data(
                r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
            ),
            data(
                r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[],"usage":{"prompt_tokens":17,"completion_tokens":7,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":5}}}"#,
            ),
            data("[DONE]"),
        ],
        TranslatedDialect::Responses => vec![
            named(
                r#"{"type":"response.output_text.done","sequence_number":6,"item_id":"m","output_index":0,"content_index":0,"text":"Hi there!","logprobs":[]}"#,
            ),
            named(
                r#"{"type":"response.completed","sequence_number":7,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"model":"some-model","output":[{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi there!","annotations":[]}]}],"usage":{"input_tokens":17,"input_tokens_details":{"cached_tokens":5},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":24}}}"#,
            ),
        ],
    }
}

/// After [`lifecycle`], the end of an answer without a word that no token was counted for: because all was said, or
/// because it was cut off.
pub fn empty_ending(dialect: TranslatedDialect, cut_off: bool) -> Vec<String> {
    let reason = |said: &'static str, cut: &'static str| if cut_off { cut } else { said };
    match dialect {
        TranslatedDialect::Messages => vec![
            named(r#"{"type":"content_block_stop","index":0}"#),
            named(&format!(
                r#"{{"type":"message_delta","delta":{{"stop_reason":"{}","stop_sequence":null}},"usage":{{"output_tokens":0}}}}"#,
                reason("end_turn", "max_tokens")
            )),
            named(r#"{"type":"message_stop"}"#),
        ],
        TranslatedDialect::Chat => vec![
            data(&format!(
                r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{{"index":0,"delta":{{}},"finish_reason":"{}"}}],"usage":null}}"#,
                reason("stop", "length")
            )),
            data("[DONE]"),
        ],
        TranslatedDialect::Responses => vec![
            named(
                r#"{"type":"response.output_text.done","sequence_number":3,"item_id":"m","output_index":0,"content_index":0,"text":"","logprobs":[]}"#,
            ),
            named(
                r#"{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"message","id":"m","role":"assistant","status":"completed","content":[{"type":"output_text","text":"","annotations":[]}]}}"#,
            ),
            named(&format!(
                r#"{{"type":"response.{0}","sequence_number":5,"response":{{"id":"resp_1","object":"response","status":"{0}","error":null,"output":[],"usage":{{"input_tokens":17,"output_tokens":0}}}}}}"#,
                reason("completed", "incomplete")
            )),
        ],
    }
}

/// What only a stream that ended well may hold.
pub fn terminator(dialect: TranslatedDialect) -> &'static str {
    match dialect {
        TranslatedDialect::Messages => "message_stop",
        TranslatedDialect::Chat => "[DONE]",
        TranslatedDialect::Responses => "response.completed",
    }
}

/// An error as the provider tells it inside a stream.
pub fn error_event(dialect: TranslatedDialect, overloaded: bool) -> String {
    match (dialect, overloaded) {
        (TranslatedDialect::Messages, true) => {
            named(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#)
        }
        (TranslatedDialect::Messages, false) => {
            named(r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#)
        }
        (TranslatedDialect::Chat, true) => {
            data(r#"{"error":{"message":"Overloaded","code":502},"choices":[]}"#)
        }
        (TranslatedDialect::Chat, false) => {
            data(r#"{"error":{"message":"Slow down","code":"rate_limit_exceeded"}}"#)
        }
        (TranslatedDialect::Responses, true) => named(
            r#"{"type":"response.failed","response":{"id":"resp_1","status":"failed","error":{"code":"server_error","message":"Overloaded"}}}"#,
        ),
        (TranslatedDialect::Responses, false) => named(
            r#"{"type":"error","code":"rate_limit_exceeded","message":"Slow down","param":null}"#,
        ),
    }
}

/// Answers a request of a conversation: with a call of `get_weather` where it offers tools and brings no result yet,
/// else with the usual words; as a stream where it asks for one.
pub fn converse(seen: &Seen) -> Script {
    let path = seen.path();
    let dialect = ALL
        .into_iter()
        .find(|one| path.starts_with(self::path(*one)))
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    let text = body.to_string();
    let calls = body["tools"].is_array()
        && !["tool_result", "\"tool\"", "function_call_output"]
            .iter()
            .any(|word| text.contains(word));
    match (body["stream"] == true, calls) {
        (true, true) => stream(&tool_events(dialect)),
        (true, false) => stream(&events(dialect)),
        (false, true) => json(200, tool_answer(dialect)),
        (false, false) => json(200, answer(dialect)),
    }
}

/// Answers with a stream whatever was asked for, as some providers do.
pub fn streams_only(calls: bool) -> impl Fn(&Seen) -> Script {
    move |seen| {
        let mut dialects = ALL.into_iter();
        let dialect = dialects.find(|one| seen.path().starts_with(path(*one)));
        let dialect = dialect.unwrap();
        if calls {
            stream(&tool_events(dialect))
        } else {
            stream(&events(dialect))
        }
    }
}

fn tool_answer(dialect: TranslatedDialect) -> String {
    match dialect {
        TranslatedDialect::Messages => r#"{"id":"msg_2","type":"message","role":"assistant","model":"some-model","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{"city":"Oslo"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":7}}"#,
        TranslatedDialect::Chat => r#"{"id":"chatcmpl-2","object":"chat.completion","created":1,"model":"some-model","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19}}"#,
        TranslatedDialect::Responses => r#"{"id":"resp_2","object":"response","created_at":1,"status":"completed","error":null,"model":"some-model","output":[{"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Oslo\"}","status":"completed"}],"usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":19}}"#,
    }
    .to_owned()
}

fn tool_events(dialect: TranslatedDialect) -> Vec<String> {
    match dialect {
        TranslatedDialect::Messages => [
            r#"{"type":"message_start","message":{"id":"msg_2","type":"message","role":"assistant","model":"some-model","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"city\":"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":" \"Oslo\"}"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7}}"#,
            r#"{"type":"message_stop"}"#,
        ]
        .map(named)
        .to_vec(),
        TranslatedDialect::Chat => [
            r#"{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{"role":"assistant","content":null},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Oslo\"}"}}]},"finish_reason":null}]}"#,
            r#"{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1,"model":"some-model","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            "[DONE]",
        ]
        .map(data)
        .to_vec(),
        TranslatedDialect::Responses => [
            r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_2","object":"response","created_at":1,"status":"in_progress","error":null,"model":"some-model","output":[]}}"#,
            r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"","status":"in_progress"}}"#,
            r#"{"type":"response.function_call_arguments.delta","sequence_number":2,"item_id":"fc_1","output_index":0,"delta":"{\"city\":\"Oslo\"}"}"#,
            r#"{"type":"response.function_call_arguments.done","sequence_number":3,"item_id":"fc_1","output_index":0,"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}"#,
            r#"{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Oslo\"}","status":"completed"}}"#,
            r#"{"type":"response.completed","sequence_number":5,"response":{"id":"resp_2","object":"response","created_at":1,"status":"completed","error":null,"model":"some-model","output":[{"type":"function_call","id":"fc_1","call_id":"call_1","name":"get_weather","arguments":"{\"city\":\"Oslo\"}","status":"completed"}],"usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":19}}}"#,
        ]
        .map(named)
        .to_vec(),
    }
}

fn named(json: &str) -> String {
    let kind: serde_json::Value = serde_json::from_str(json).unwrap();
    format!(
        "event: {}\ndata: {json}\n\n",
        kind["type"].as_str().unwrap()
    )
}

fn data(json: &str) -> String {
    format!("data: {json}\n\n")
}
