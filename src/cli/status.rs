//! `tundra status`: the running instance in one look.

use clap::Args;
use jiff::Timestamp;

use super::args::Json;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::{output, providers, show};
use crate::api::shapes::{FrontShape, RemoteShape, StoreShape};

#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub json: Json,
}

pub fn run(args: &Status, context: &Context) -> Result<Exit, Failure> {
    let status = context.client()?.status()?;
    if args.json.json {
        return Ok(output::json(&status));
    }
    let up = show::age(status.started_at, Timestamp::now());
    let gateway = match &status.gateway {
        Some(gateway) => format!(
            "{}, {} requests, {} in flight, key in {}",
            gateway.url, gateway.requests, gateway.in_flight, gateway.key_file
        ),
        None => "disabled".to_owned(),
    };
    let rows = [
        (
            "tundra",
            format!("{}, pid {}, up {up}", status.version, status.pid),
        ),
        (
            "pool",
            format!("{}/{} terminals", status.pool.active, status.pool.max),
        ),
        ("shown", shown(&status.front)),
        ("remote", remote(status.remote.as_ref())),
        ("gateway", gateway),
        ("store", store(&status.store)),
        ("socket", status.control_socket),
        ("log", status.log_file),
        ("config", status.config_file),
    ]
    .map(|(name, value)| vec![name.to_owned(), value]);
    let columns = output::columns();
    let mut text = show::facts(&rows, columns).join("\n");
    text.push('\n');
    if !status.providers.is_empty() {
        text.push('\n');
        text.push_str(&providers::table(&status.providers, columns).join("\n"));
        text.push('\n');
    }
    Ok(output::data(&text))
}

/// The journal in a word, and Dolt where a copy is kept.
fn store(store: &StoreShape) -> String {
    let mut text = store.state.clone();
    if let Some(message) = &store.message {
        text = format!("{text}: {message}");
    }
    if store.waiting > 0 {
        text = format!("{text}, {} waiting", store.waiting);
    }
    if store.dolt.state == "disabled" {
        return text;
    }
    let dolt = super::store::dolt(&store.dolt);
    format!("{text}; dolt {dolt}, {} to ship", store.outbox)
}

/// Where tundra is shown.
fn shown(front: &FrontShape) -> String {
    let (Some(tty), Some(cols), Some(rows), Some(pid)) =
        (&front.tty, front.cols, front.rows, front.pid)
    else {
        return "nowhere".to_owned();
    };
    let since = front.since.map_or_else(String::new, |since| {
        format!(" for {}", show::age(since, Timestamp::now()))
    });
    format!("on {tty} ({cols}x{rows}, pid {pid}){since}")
}

fn remote(remote: Option<&RemoteShape>) -> String {
    let Some(remote) = remote else {
        return "disabled".to_owned();
    };
    let mut text = format!(
        "{}, {}, token in {}",
        remote.url,
        counted(remote.viewers, "viewer"),
        remote.token_file
    );
    if let Some(fingerprint) = &remote.fingerprint {
        text.push_str(", certificate ");
        text.push_str(fingerprint);
    }
    text
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
