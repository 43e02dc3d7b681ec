//! Pairs for every direction: what is sent and answered, as the providers document it, and what becomes of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;
use tundra::domain::profile::TranslatedDialect;
use tundra::gateway::translate::mark::Maker;
use tundra::gateway::translate::{self, Target};

use super::streams::{ALL, crossing};

type Cases = BTreeMap<String, BTreeMap<String, Box<RawValue>>>;

const TARGET: Target = Target {
    model: "their-model",
    max_tokens: None,
    is_local: false,
    takes_effort: true,
};

fn cases(text: &str) -> Cases {
    serde_json::from_str(text).unwrap()
}

fn pairs(
    case: &BTreeMap<String, Box<RawValue>>,
) -> impl Iterator<Item = (TranslatedDialect, TranslatedDialect, &str)> {
    ALL.into_iter().flat_map(move |from| {
        let text = case.get(from.as_str()).map(|text| text.get());
        let others = ALL.into_iter().filter(move |to| *to != from);
        text.into_iter()
            .flat_map(move |text| others.clone().map(move |to| (from, to, text)))
    })
}

#[test]
fn requests_become_what_the_other_dialect_documents() {
    for (name, case) in cases(include_str!("../../../fixtures/translation/requests.json")) {
        let mut told = String::new();
        for (from, to, text) in pairs(&case) {
            let asked = translate::read(from, text.as_bytes())
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let maker = Maker::of("http://x", to);
            let (sent, without) = match translate::write(&asked, to, &TARGET, &maker) {
                Ok(sent) => {
                    let body = String::from_utf8(sent.body.to_vec()).unwrap();
                    (body, sent.without)
                }
                Err(unsayable) => (format!("unsupported: {unsayable}"), asked.left_out),
            };
            let without = if without.is_empty() {
                String::new()
            } else {
                format!(" without {}", without.join(", "))
            };
            writeln!(
                told,
                "{} to {}{without}\n  {sent}",
                from.as_str(),
                to.as_str()
            )
            .unwrap();
        }
        insta::assert_snapshot!(format!("request {name}"), told);
    }
}

#[test]
fn answers_become_what_the_other_dialect_documents() {
    for (name, case) in cases(include_str!("../../../fixtures/translation/answers.json")) {
        let mut told = String::new();
        for (from, to, text) in pairs(&case) {
            let answer = match translate::answer(text.as_bytes(), &crossing(from, to)) {
                Ok(answer) => String::from_utf8(answer.to_vec()).unwrap(),
                Err(error) => error.to_string(),
            };
            writeln!(told, "{} to {}\n  {answer}", from.as_str(), to.as_str()).unwrap();
        }
        insta::assert_snapshot!(format!("answer {name}"), told);
    }
}

/// Through another dialect and back: what the form holds is all there.
#[test]
fn there_and_back_again_loses_nothing() {
    // What a dialect has no words for, or other ones: their cases are told by name.
    let lossy = [
        (
            "tools",
            TranslatedDialect::Messages,
            "an error in a result is words elsewhere",
        ),
        (
            "images",
            TranslatedDialect::Messages,
            "an image in a result follows it in chat",
        ),
        (
            "images",
            TranslatedDialect::Responses,
            "an image in a result follows it in chat",
        ),
    ];
    for name in [
        "plain",
        "tools",
        "one tool",
        "images",
        "documents",
        "schema",
    ] {
        let all = cases(include_str!("../../../fixtures/translation/requests.json"));
        for (from, to, text) in pairs(&all[name]) {
            if lossy
                .iter()
                .any(|(case, dialect, _)| *case == name && *dialect == from)
            {
                continue;
            }
            let asked = translate::read(from, text.as_bytes()).unwrap();
            let there = translate::write(&asked, to, &TARGET, &Maker::of("http://x", to)).unwrap();
            let back = translate::read(to, &there.body).unwrap();
            assert_eq!(back.system, asked.system, "{name} {from:?} {to:?}");
            assert_eq!(
                back.tools
                    .iter()
                    .map(|tool| (&tool.name, &tool.parameters))
                    .collect::<Vec<_>>(),
                asked
                    .tools
                    .iter()
                    .map(|tool| (&tool.name, &tool.parameters))
                    .collect::<Vec<_>>()
            );
            assert_eq!(
                (&back.choice, &back.user, &back.stop, back.temperature),
                (&asked.choice, &asked.user, &asked.stop, asked.temperature)
            );
            let plain = |items: &_| {
                format!("{items:?}")
                    .replace("detail: Some(\"low\")", "detail: _")
                    .replace("detail: Some(\"auto\")", "detail: _")
                    .replace("detail: None", "detail: _")
            };
            assert_eq!(
                plain(&back.items),
                plain(&asked.items),
                "{name} {from:?} {to:?}"
            );
        }
    }
}

#[test]
fn a_tool_of_codex_comes_back_as_what_it_was() {
    let all = cases(include_str!("../../../fixtures/translation/requests.json"));
    let asked = translate::read(
        TranslatedDialect::Responses,
        all["codex"]["responses"].get().as_bytes(),
    )
    .unwrap();
    for (upstream, answer) in [
        (
            TranslatedDialect::Chat,
            r#"{"model":"real","choices":[{"index":0,"finish_reason":"tool_calls","message":{"tool_calls":[
            {"id":"c1","function":{"name":"functions__exec","arguments":"{\"input\":\"text(\\\"ä\\\")\"}"}},
            {"id":"c2","function":{"name":"local_shell","arguments":"{\"command\":[\"ls\",\"-l\"]}"}},
            {"id":"c3","function":{"name":"functions__wait","arguments":"{\"n\":1}"}}]}}]}"#,
        ),
        (
            TranslatedDialect::Messages,
            r#"{"model":"real","stop_reason":"tool_use","content":[
            {"type":"tool_use","id":"c1","name":"functions__exec","input":{"input":"text(\"ä\")"}},
            {"type":"tool_use","id":"c2","name":"local_shell","input":{"command":["ls","-l"]}},
            {"type":"tool_use","id":"c3","name":"functions__wait","input":{"n":1}}]}"#,
        ),
    ] {
        let sent =
            translate::write(&asked, upstream, &TARGET, &Maker::of("http://x", upstream)).unwrap();
        let mut crossing = crossing(upstream, TranslatedDialect::Responses);
        crossing.way = sent.way;
        let whole: Value =
            serde_json::from_slice(&translate::answer(answer.as_bytes(), &crossing).unwrap())
                .unwrap();
        let streamed = translate::whole_as_stream(answer.as_bytes(), crossing).unwrap();
        let said = super::strict::read(TranslatedDialect::Responses, &streamed).unwrap();
        let items = &whole["output"];
        assert_eq!(
            (
                &items[0]["type"],
                &items[0]["namespace"],
                &items[0]["name"],
                &items[0]["input"]
            ),
            (
                &"custom_tool_call".into(),
                &"functions".into(),
                &"exec".into(),
                &"text(\"ä\")".into()
            )
        );
        assert_eq!(
            (&items[1]["type"], &items[1]["action"]["command"]),
            (&"local_shell_call".into(), &serde_json::json!(["ls", "-l"]))
        );
        assert_eq!(
            (
                &items[2]["type"],
                &items[2]["namespace"],
                &items[2]["name"],
                &items[2]["arguments"]
            ),
            (
                &"function_call".into(),
                &"functions".into(),
                &"wait".into(),
                &"{\"n\":1}".into()
            )
        );
        assert_eq!(
            said.calls
                .iter()
                .map(|(id, name, _)| (id.as_str(), name.as_str()))
                .collect::<Vec<_>>(),
            [("c1", "exec"), ("c2", "local_shell"), ("c3", "wait")]
        );
    }
}

/// Some value within a JSON text, put in another's place.
fn disturb(text: &str, at: usize, with: &Value) -> String {
    fn walk(value: &mut Value, left: &mut usize, with: &Value) {
        if *left == 0 {
            *value = with.clone();
        }
        *left = left.wrapping_sub(1);
        match value {
            Value::Array(entries) => entries.iter_mut().for_each(|entry| walk(entry, left, with)),
            Value::Object(members) => members
                .values_mut()
                .for_each(|member| walk(member, left, with)),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap();
    let mut left = at;
    walk(&mut value, &mut left, with);
    value.to_string()
}

proptest! {
    /// Whatever a caller or a provider puts in the place of what it should say, nothing panics, and what is written can
    /// be read.
    #[test]
    fn what_is_understood_is_written_so_that_it_can_be_read(
        at in 1_usize..80,
        with in prop_oneof![
            Just(Value::Null),
            Just(serde_json::json!([])),
            Just(serde_json::json!({})),
            Just(serde_json::json!("text")),
            Just(serde_json::json!(-1)),
            Just(serde_json::json!([{"type": "text", "text": "x"}])),
        ],
    ) {
        for case in cases(include_str!("../../../fixtures/translation/requests.json")).values() {
            for (from, to, text) in pairs(case) {
                let Ok(asked) = translate::read(from, disturb(text, at, &with).as_bytes()) else {
                    continue;
                };
                if let Ok(sent) = translate::write(&asked, to, &TARGET, &Maker::of("http://x", to)) {
                    prop_assert!(translate::read(to, &sent.body).is_ok(), "{}", String::from_utf8_lossy(&sent.body));
                }
            }
        }
        for case in cases(include_str!("../../../fixtures/translation/answers.json")).values() {
            for (from, to, text) in pairs(case) {
                let text = disturb(text, at, &with);
                let _ = translate::answer(text.as_bytes(), &crossing(from, to));
                if let Ok(stream) = translate::whole_as_stream(text.as_bytes(), crossing(from, to)) {
                    let read = super::strict::read(to, &stream);
                    prop_assert!(read.is_ok(), "{:?}\n{}\n{}", read, text, String::from_utf8_lossy(&stream));
                }
            }
        }
    }
}
