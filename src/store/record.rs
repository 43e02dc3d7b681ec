//! Facts as rows: the words of an event, its data, and which row of which table it changes.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::redact::clean;
use crate::domain::breaker::{Cause, Transition};
use crate::domain::caller::Caller;
use crate::domain::cooldown::CoolingCause;
use crate::domain::fact::{Fact, MoveCause, Opened, Peer, Viewer, What};
use crate::domain::id::TerminalId;
use crate::domain::moment::Span;
use crate::domain::outcome::{ErrorKind, Fault};
use crate::domain::profile::ProfileName;
use crate::domain::route::{Choice, PlanNews, REJECTED_FOR, RouterCommand, RouterEvent};
use crate::domain::terminal::Exit;
use crate::domain::usage::Attempt;

const HOUR_MS: i64 = 3_600_000;

/// The hour that a time belongs to, in milliseconds since 1970.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    let millis = at.as_millisecond();
    millis - millis.rem_euclid(HOUR_MS)
}

/// An event as it is kept; its id and instance are its writer's.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub at_ms: i64,
    pub kind: &'static str,
    /// Empty for none, and so are the next two.
    pub terminal_id: String,
    pub profile: String,
    pub by: String,
    pub text: String,
    /// A JSON object.
    pub data: String,
}

/// What an event says, before it is a row.
#[derive(Default)]
struct Words {
    terminal_id: String,
    profile: String,
    by: &'static str,
    text: String,
    data: Map<String, Value>,
}

/// The event that a fact is in the history; None for what is only counted, or changes what is known of a terminal.
#[must_use]
pub fn event_of(fact: &Fact) -> Option<EventRow> {
    let kind = fact.what.kind()?;
    let words = words(&fact.what);
    Some(EventRow {
        at_ms: fact.at.as_millisecond(),
        kind: kind.as_str(),
        terminal_id: words.terminal_id,
        profile: words.profile,
        by: words.by.to_owned(),
        text: clean(&words.text),
        data: Value::Object(words.data).to_string(),
    })
}

/// A terminal's command as it is kept: a JSON array, its secrets left out.
#[must_use]
pub fn command_of(opened: &Opened) -> String {
    let words: Vec<String> = opened.command.iter().map(|word| clean(word)).collect();
    json!(words).to_string()
}

/// Exit code and signal, of which one is known.
#[must_use]
pub const fn exit_of(exit: Exit) -> (Option<i32>, Option<i32>) {
    match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    }
}

fn words(what: &What) -> Words {
    match what {
        What::InstanceStarted { version, pid } => Words {
            text: format!("tundra {version} started, pid {pid}"),
            data: object(json!({"version": &**version, "pid": pid})),
            ..Words::default()
        },
        What::InstanceStopped { end } => Words {
            text: format!("tundra ended: {end}"),
            data: object(json!({"end": end.to_string()})),
            ..Words::default()
        },
        What::TerminalOpened(opened) => opened_words(opened),
        What::TerminalRenamed { id, name } => Words {
            terminal_id: id.to_string(),
            text: format!("now called {name}"),
            ..Words::default()
        },
        What::TerminalExited { id, exit } => exited_words(*id, *exit),
        What::AgentChanged {
            id,
            agent,
            state,
            by,
        } => Words {
            terminal_id: id.to_string(),
            by,
            text: format!("{agent} is {state}"),
            data: object(json!({"agent": &**agent, "state": state})),
            ..Words::default()
        },
        What::ViewerAttached { terminal, viewer } => viewer_words(*terminal, viewer, "attached"),
        What::ViewerDetached { terminal, viewer } => viewer_words(*terminal, viewer, "detached"),
        What::ViewerRefused {
            terminal,
            peer,
            status,
            why,
        } => refused_words(*terminal, peer, *status, why),
        What::Routed { event, cause } => route_words(event, *cause),
        What::Attempted { profile, attempt } => attempt_words(profile, attempt),
        What::ConfigReloaded { at_next_start } => reload_words(at_next_start),
        What::ConfigRefused { why } => Words {
            by: "reload",
            text: format!("configuration refused, the last good one stays: {why}"),
            data: object(json!({"why": clean(why)})),
            ..Words::default()
        },
        What::FrontAttached {
            pid,
            tty,
            cols,
            rows,
        } => Words {
            text: format!("a front end attached on {tty}, {cols}x{rows}"),
            data: object(json!({"pid": pid, "tty": tty, "cols": cols, "rows": rows})),
            ..Words::default()
        },
        What::FrontDetached { pid, why } => Words {
            text: format!("the front end left: {why}"),
            data: object(json!({"pid": pid, "why": why})),
            ..Words::default()
        },
        What::StoreChanged {
            from,
            to,
            why,
            lost,
        } => Words {
            text: store_text(to, why, *lost),
            data: object(json!({"from": from, "to": to, "message": clean(why), "lost": lost})),
            ..Words::default()
        },
    }
}

fn reload_words(at_next_start: &[String]) -> Words {
    Words {
        by: "reload",
        text: if at_next_start.is_empty() {
            "configuration applied".to_owned()
        } else {
            let keys = at_next_start.join(", ");
            format!("configuration applied, but for {keys} at the next start")
        },
        data: object(json!({"at_next_start": at_next_start})),
        ..Words::default()
    }
}

fn refused_words(terminal: Option<TerminalId>, peer: &Peer, status: u16, why: &str) -> Words {
    Words {
        terminal_id: terminal.map_or_else(String::new, |id| id.to_string()),
        text: format!("{peer} was refused: {why}"),
        data: object(json!({"peer": peer.to_string(), "status": status, "why": why})),
        ..Words::default()
    }
}

fn exited_words(id: TerminalId, exit: Exit) -> Words {
    let (code, signal) = exit_of(exit);
    let how = match exit {
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    };
    Words {
        terminal_id: id.to_string(),
        text: format!("ended with {how}"),
        data: object(json!({"code": code, "signal": signal})),
        ..Words::default()
    }
}

fn viewer_words(terminal: TerminalId, viewer: &Viewer, what: &str) -> Words {
    Words {
        terminal_id: terminal.to_string(),
        text: format!("a viewer from {} {what}", viewer.peer),
        data: object(json!({"peer": viewer.peer.to_string(), "client": viewer.client})),
        ..Words::default()
    }
}

fn store_text(to: &str, why: &str, lost: u64) -> String {
    let mut text = format!("the store is {to}");
    if !why.is_empty() {
        text.push_str(": ");
        text.push_str(why);
    }
    if lost > 0 {
        text = format!("{text}; {lost} events were lost meanwhile");
    }
    text
}

fn opened_words(opened: &Opened) -> Words {
    let command: Vec<String> = opened.command.iter().map(|word| clean(word)).collect();
    Words {
        terminal_id: opened.id.to_string(),
        text: format!("{} opened: {}", opened.name, command.join(" ")),
        data: object(json!({
            "command": command,
            "cwd": opened.cwd.to_string_lossy(),
            "agent": (!opened.agent.is_empty()).then_some(&opened.agent),
            "owner": opened.owner,
        })),
        ..Words::default()
    }
}

fn route_words(event: &RouterEvent, cause: MoveCause) -> Words {
    let text = event.to_string();
    match event {
        RouterEvent::Breaker {
            profile,
            transition,
        } => Words {
            profile: profile.to_string(),
            by: match cause {
                MoveCause::Asked(by) => by.as_str(),
                MoveCause::Breaker | MoveCause::Cooldown | MoveCause::Recovery => "",
            },
            text: format!("{text}: {}", cause_text(transition.cause)),
            data: breaker_data(transition),
            ..Words::default()
        },
        RouterEvent::Cooling {
            profile,
            cause,
            wait,
            ..
        } => Words {
            profile: profile.to_string(),
            text,
            data: object(json!({"cause": cooling_name(*cause), "wait_s": Span(*wait).seconds()})),
            ..Words::default()
        },
        RouterEvent::Exhausted { profile, .. } => Words {
            profile: profile.to_string(),
            text,
            data: object(json!({"cause": "exhausted", "wait_s": null})),
            ..Words::default()
        },
        RouterEvent::Rejected {
            profile, rejection, ..
        } => Words {
            profile: profile.to_string(),
            text,
            data: object(json!({
                "cause": "rejected",
                "status": rejection.status,
                "wait_s": Span(REJECTED_FOR).seconds(),
            })),
            ..Words::default()
        },
        RouterEvent::Commanded {
            command, by, done, ..
        } => Words {
            profile: name(done.profile.as_ref()),
            by: by.as_str(),
            text: command.to_string(),
            data: object(json!({
                "command": command_name(command),
                "active": done.active.as_ref().map(ProfileName::as_str),
                "held_s": done.held_for.map(|held| Span(held).seconds()),
            })),
            ..Words::default()
        },
        RouterEvent::Moved { from, to, .. } => Words {
            profile: name(to.as_ref()),
            by: cause.as_str(),
            text: match (from, to) {
                (Some(from), Some(to)) => format!("requests now go to {to}, no more to {from}"),
                (Some(from), None) => format!("no provider can take requests; last was {from}"),
                (None, _) => text,
            },
            data: object(json!({
                "from": from.as_ref().map(ProfileName::as_str),
                "to": to.as_ref().map(ProfileName::as_str),
            })),
            ..Words::default()
        },
        RouterEvent::Plan { profile, news, .. } => Words {
            profile: profile.to_string(),
            text,
            data: object(match news {
                PlanNews::UsedUp(used_up) => json!({
                    "cause": "used_up", "until": used_up.until, "family": used_up.family,
                }),
                PlanNews::NearEnd {
                    window, percent, ..
                } => json!({"window": window, "percent": percent}),
            }),
            ..Words::default()
        },
        RouterEvent::PassedOver { .. } | RouterEvent::Reloaded { .. } => Words {
            text,
            ..Words::default()
        },
    }
}

const fn cooling_name(cause: CoolingCause) -> &'static str {
    match cause {
        CoolingCause::RateLimit => "rate_limit",
        CoolingCause::Overload => "overload",
    }
}

const fn command_name(command: &RouterCommand) -> &'static str {
    match command {
        RouterCommand::Failover { .. } => "failover",
        RouterCommand::Pin(_) => "pin",
        RouterCommand::Unpin => "unpin",
        RouterCommand::Reset(_) => "reset",
        RouterCommand::Restart(_) => "restart",
        RouterCommand::Enable(_) => "enable",
        RouterCommand::Disable(_) => "disable",
    }
}

fn breaker_data(transition: &Transition) -> Map<String, Value> {
    let retry_in = transition
        .retry_at
        .map(|retry_at| retry_at.since(transition.at).as_secs_f64());
    object(json!({
        "from": transition.from.as_str(),
        "to": transition.to.as_str(),
        "cause": cause_text(transition.cause),
        "retry_in_s": retry_in,
    }))
}

fn cause_text(cause: Cause) -> String {
    let fault = |fault: Fault| fault.kind().as_str();
    match cause {
        Cause::Failures { count, last } => {
            format!(
                "{count} failures in a row, the last of kind {}",
                fault(last)
            )
        }
        Cause::Timeouts { count } => format!("{count} timeouts in a row"),
        Cause::RetryDue => "its wait is over, a probe goes".to_owned(),
        Cause::ProbeSucceeded => "the probe succeeded".to_owned(),
        Cause::ProbeFailed(last) => format!("the probe failed with kind {}", fault(last)),
        Cause::ProbeLost => "the probe's outcome never came".to_owned(),
        Cause::Reset => "reset".to_owned(),
        Cause::Forced => "forced".to_owned(),
    }
}

fn attempt_words(profile: &ProfileName, attempt: &Attempt) -> Words {
    let terminal_id = match attempt.caller {
        Caller::Terminal(id) => id.to_string(),
        Caller::Outside | Caller::Ask => String::new(),
    };
    let message = clean(attempt.end.message().unwrap_or_default());
    Words {
        terminal_id,
        profile: profile.to_string(),
        text: format!("{profile}: {message}"),
        data: object(json!({
            "kind": attempt.end.error().map(ErrorKind::as_str),
            "message": message,
            "model": &*attempt.sent_model,
            "dialect": attempt.dialect.as_str(),
            "translated": attempt.translated,
            "without": attempt.without,
            "choice": attempt.choice.map(Choice::as_str),
            "waited_ms": millis(attempt.waited),
            "total_ms": millis(attempt.total),
        })),
        ..Words::default()
    }
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn name(profile: Option<&ProfileName>) -> String {
    profile.map_or_else(String::new, ToString::to_string)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::moment::Moment;
    use crate::domain::route::By;

    #[test]
    fn an_hour_begins_at_its_full_hour_before_1970_too() {
        let hour = |millis| hour_of(Timestamp::from_millisecond(millis).unwrap());
        assert_eq!(hour(HOUR_MS + 1), HOUR_MS);
        assert_eq!(hour(HOUR_MS), HOUR_MS);
        assert_eq!(hour(-1), -HOUR_MS);
    }

    #[test]
    fn a_route_that_moved_tells_from_where_to_where_and_who() {
        let fact = Fact::at(
            Timestamp::UNIX_EPOCH,
            What::Routed {
                event: RouterEvent::Moved {
                    from: Some(ProfileName::from("a")),
                    to: Some(ProfileName::from("b")),
                    at: Moment::ORIGIN,
                },
                cause: MoveCause::Asked(By::Cli),
            },
        );
        let expected = EventRow {
            at_ms: 0,
            kind: "provider.failover",
            terminal_id: String::new(),
            profile: "b".to_owned(),
            by: "cli".to_owned(),
            text: "requests now go to b, no more to a".to_owned(),
            data: r#"{"from":"a","to":"b"}"#.to_owned(),
        };
        assert_eq!(event_of(&fact), Some(expected));
    }

    #[test]
    fn a_terminal_that_ended_tells_its_code_and_no_signal() {
        let id = TerminalId::random();
        let exit = Exit::Code(3);
        let fact = Fact::at(Timestamp::UNIX_EPOCH, What::TerminalExited { id, exit });
        let row = event_of(&fact).unwrap();
        assert_eq!(row.terminal_id, id.to_string());
        assert_eq!(row.text, "ended with exit code 3");
        assert_eq!(row.data, r#"{"code":3,"signal":null}"#);
    }

    #[test]
    fn a_name_is_no_event() {
        let what = What::TerminalRenamed {
            id: TerminalId::random(),
            name: "n".to_owned(),
        };
        assert_eq!(event_of(&Fact::at(Timestamp::UNIX_EPOCH, what)), None);
    }

    #[test]
    fn a_command_is_kept_without_its_secrets() {
        let opened = Opened {
            id: TerminalId::random(),
            name: "n".to_owned(),
            command: ["aider", "--api-key", "sk-ant-REDACTED"]
                .map(str::to_owned)
                .to_vec(),
            cwd: "/".into(),
            agent: String::new(),
            owner: "local",
        };
        assert_eq!(command_of(&opened), r#"["aider","--api-key","[key]"]"#);
    }
}
