//! The client: asks over and over, shows what comes, and makes the providers fail on keys.

use std::io::{self, Read};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use super::ask::{self, Gateway, Piece};
use super::fault::{Fault, Player};
use super::screen::Screen;

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(900);
/// How often the size of the terminal is looked at while nothing happens.
const TICK: Duration = Duration::from_millis(500);
/// Events that wait for the screen; the asking thread waits when it is full.
const EVENTS: usize = 64;
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;

/// What the client works with.
#[derive(Clone, Debug)]
pub struct Client {
    /// `HOST:PORT` of the simulated providers.
    pub providers: String,
}

/// Why the client cannot ask.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("this is the client of `tundra demo`: it works in its pane alone")]
    NoGateway,
    #[error("the demonstration's terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
}

enum Event {
    Key(u8),
    /// Nothing is typed any more.
    Closed,
    Begun(u64),
    Came(Piece),
    Over(io::Result<()>),
}

/// Asks until a key or a lost terminal ends it. The terminal is raw already; `size` tells it, `show` writes to it.
///
/// # Errors
/// [`ClientError`] where the environment names no gateway, or the screen cannot be written.
pub fn run(
    client: &Client,
    size: impl Fn() -> (u16, u16),
    mut show: impl FnMut(&str) -> io::Result<()>,
) -> Result<(), ClientError> {
    let gateway = Gateway::of_environment().ok_or(ClientError::NoGateway)?;
    let (sender, events) = mpsc::sync_channel(EVENTS);
    let keys = sender.clone();
    thread::spawn(move || read_keys(&keys));
    thread::spawn(move || ask_on(&gateway, &sender));
    let mut screen = Screen::new();
    show("\x1b[2J")?;
    loop {
        let (cols, rows) = size();
        show(&screen.paint(cols, rows))?;
        match events.recv_timeout(TICK) {
            Ok(Event::Key(key)) => {
                if matches!(key, b'q' | CTRL_C | CTRL_D) {
                    return Ok(());
                }
                if !on_key(client, &mut screen, key) {
                    return Ok(());
                }
            }
            Ok(Event::Begun(number)) => screen.begin(number),
            Ok(Event::Came(piece)) => came(&mut screen, piece),
            Ok(Event::Over(result)) => {
                if let Some(exchange) = screen.latest() {
                    exchange.is_over = true;
                    if let Err(error) = result {
                        exchange.failure.get_or_insert(error.to_string());
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Event::Closed) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Does what a key says; false where the providers are gone, and with them the demonstration.
fn on_key(client: &Client, screen: &mut Screen, key: u8) -> bool {
    if let Some(player) = Player::ALL.into_iter().find(|player| player.key() == key) {
        screen.chosen = player;
        return true;
    }
    let Some(fault) = Fault::of_key(key) else {
        return true;
    };
    let path = format!("{}/fault/{}", screen.chosen.path(), fault.name());
    if ask::post(&client.providers, &path).is_err() {
        return false;
    }
    screen.set(fault);
    true
}

fn came(screen: &mut Screen, piece: Piece) {
    let Some(exchange) = screen.latest() else {
        return;
    };
    match piece {
        Piece::Head {
            status,
            profile,
            attempts,
        } => {
            exchange.profile = profile.or_else(|| Some(format!("nobody ({status})")));
            exchange.attempts = attempts;
        }
        Piece::Text(text) => exchange.text.push_str(&text),
        Piece::Failed(words) => exchange.failure = Some(words),
    }
}

fn read_keys(events: &SyncSender<Event>) {
    let mut bytes = [0; 64];
    let mut stdin = io::stdin().lock();
    loop {
        match stdin.read(&mut bytes) {
            Ok(0) | Err(_) => {
                let _ = events.send(Event::Closed);
                return;
            }
            // A sequence is a key that means nothing here.
            Ok(count) if bytes.first() == Some(&0x1b) && count > 1 => {}
            Ok(count) => {
                for key in bytes.iter().take(count) {
                    if events.send(Event::Key(*key)).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

fn ask_on(gateway: &Gateway, events: &SyncSender<Event>) {
    for number in 1.. {
        if events.send(Event::Begun(number)).is_err() {
            return;
        }
        let result = gateway.ask(|piece| {
            let _ = events.send(Event::Came(piece));
        });
        if events.send(Event::Over(result)).is_err() {
            return;
        }
        thread::sleep(PAUSE);
    }
}
