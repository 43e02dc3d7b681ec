//! Operating system commands: parsed here, obeyed elsewhere.

use super::decode;
use super::palette::{self, Rgb, Slot};

/// Longest title and notification, in characters.
const TITLE_CHARS: usize = 256;
const NOTIFICATION_CHARS: usize = 1000;
/// Longest text for the clipboard, in bytes.
const CLIPBOARD_BYTES: usize = 100 * 1024;
/// Longest link target and path, in bytes (the former as in VTE and iTerm2).
const LINK_BYTES: usize = 2083;
const PATH_BYTES: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Title(String),
    WorkingDirectory(String),
    /// `None` ends the link.
    Link(Option<String>),
    Notification(String),
    /// Part of a notification whose rest is to come.
    NotificationPart(String),
    Progress(u8),
    Clipboard(String),
    PromptMark(char),
    SetColor(Slot, Rgb),
    AskColor(Slot),
    ResetColor(Slot),
    ResetPalette,
}

/// The commands in a string; what is unknown or malformed gives none.
pub(super) fn parse(payload: &[u8]) -> Vec<Command> {
    let (number, rest) = match payload.iter().position(|byte| *byte == b';') {
        Some(at) => (&payload[..at], &payload[at + 1..]),
        None => (payload, &[][..]),
    };
    match number {
        b"0" | b"2" => vec![Command::Title(decode::clean(rest, TITLE_CHARS))],
        b"4" => colors(rest),
        b"7" => working_directory(rest).into_iter().collect(),
        b"8" => link(rest).into_iter().collect(),
        b"9" => vec![growl(rest)],
        b"10" => dynamic(rest, 0),
        b"11" => dynamic(rest, 1),
        b"12" => dynamic(rest, 2),
        b"52" => clipboard(rest).into_iter().collect(),
        b"99" => kitty_notification(rest).into_iter().collect(),
        b"104" if rest.is_empty() => vec![Command::ResetPalette],
        b"104" => rest
            .split(|byte| *byte == b';')
            .filter_map(index)
            .map(Command::ResetColor)
            .collect(),
        b"110" => vec![Command::ResetColor(Slot::Foreground)],
        b"111" => vec![Command::ResetColor(Slot::Background)],
        b"112" => vec![Command::ResetColor(Slot::Cursor)],
        b"133" => prompt_mark(rest).into_iter().collect(),
        b"777" => urxvt_notification(rest).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn index(text: &[u8]) -> Option<Slot> {
    std::str::from_utf8(text)
        .ok()?
        .parse()
        .ok()
        .map(Slot::Indexed)
}

/// `index;colour` pairs.
fn colors(rest: &[u8]) -> Vec<Command> {
    let mut parts = rest.split(|byte| *byte == b';');
    let mut commands = Vec::new();
    while let (Some(number), Some(color)) = (parts.next(), parts.next()) {
        commands.extend(index(number).and_then(|slot| color_command(slot, color)));
    }
    commands
}

/// OSC 10 and its kin: further colours are for the next numbers.
fn dynamic(rest: &[u8], first: usize) -> Vec<Command> {
    let slots = [Slot::Foreground, Slot::Background, Slot::Cursor];
    let colors = rest.split(|byte| *byte == b';');
    slots
        .iter()
        .skip(first)
        .zip(colors)
        .filter_map(|(slot, color)| color_command(*slot, color))
        .collect()
}

fn color_command(slot: Slot, color: &[u8]) -> Option<Command> {
    if color == b"?" {
        return Some(Command::AskColor(slot));
    }
    palette::parse(color).map(|color| Command::SetColor(slot, color))
}

/// `file://host/path`; the host is not looked at.
fn working_directory(rest: &[u8]) -> Option<Command> {
    let address = [&b"file://"[..], b"kitty-shell-cwd://"]
        .iter()
        .find_map(|scheme| rest.strip_prefix(*scheme))?;
    let path = &address[address.iter().position(|byte| *byte == b'/')?..];
    if path.len() > PATH_BYTES {
        return None;
    }
    let path = String::from_utf8(decode::percent(path)).ok()?;
    (!path.chars().any(char::is_control)).then_some(Command::WorkingDirectory(path))
}

fn link(rest: &[u8]) -> Option<Command> {
    let at = rest.iter().position(|byte| *byte == b';')?;
    let target = &rest[at + 1..];
    if target.is_empty() {
        return Some(Command::Link(None));
    }
    if target.len() > LINK_BYTES {
        return None;
    }
    let target = std::str::from_utf8(target).ok()?;
    (!target.chars().any(char::is_control)).then(|| Command::Link(Some(target.to_owned())))
}

/// iTerm2's notification, or `ConEmu`'s progress where it begins with `4;`.
fn growl(rest: &[u8]) -> Command {
    let mut parts = rest.split(|byte| *byte == b';');
    if parts.next() == Some(b"4")
        && let Some([state @ b'0'..=b'4']) = parts.next()
    {
        return Command::Progress(state - b'0');
    }
    Command::Notification(decode::clean(rest, NOTIFICATION_CHARS))
}

fn urxvt_notification(rest: &[u8]) -> Option<Command> {
    let rest = rest.strip_prefix(b"notify;")?;
    let text = decode::clean(rest, NOTIFICATION_CHARS);
    Some(Command::Notification(match text.split_once(';') {
        Some((title, body)) if !body.is_empty() => format!("{title}: {body}"),
        Some((title, _)) => title.to_owned(),
        None => text,
    }))
}

/// Kitty's notification: `key=value:…;payload`.
fn kitty_notification(rest: &[u8]) -> Option<Command> {
    let at = rest.iter().position(|byte| *byte == b';')?;
    let (metadata, payload) = (&rest[..at], &rest[at + 1..]);
    let value = |key: u8| {
        metadata
            .split(|byte| *byte == b':')
            .find_map(|pair| pair.strip_prefix(&[key, b'=']))
            .unwrap_or_default()
    };
    if !matches!(value(b'p'), b"" | b"title" | b"body") {
        return None;
    }
    let decoded = if value(b'e') == b"1" {
        decode::base64(payload)?
    } else {
        payload.to_vec()
    };
    let text = decode::clean(&decoded, NOTIFICATION_CHARS);
    Some(if value(b'd') == b"0" {
        Command::NotificationPart(text)
    } else {
        Command::Notification(text)
    })
}

fn clipboard(rest: &[u8]) -> Option<Command> {
    let at = rest.iter().position(|byte| *byte == b';')?;
    let payload = &rest[at + 1..];
    if payload.is_empty() || payload == b"?" {
        return None;
    }
    let bytes = decode::base64(payload)?;
    if bytes.len() > CLIPBOARD_BYTES {
        return None;
    }
    Some(Command::Clipboard(
        String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

fn prompt_mark(rest: &[u8]) -> Option<Command> {
    let letter = char::from(*rest.first()?);
    matches!(letter, 'A'..='D').then_some(Command::PromptMark(letter))
}
