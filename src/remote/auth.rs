//! Who may come in: the token, one-time tokens, sessions and the login throttle.
//!
//! Nothing that opens a door is kept as it is: only SHA-256 hashes stay in memory, and what is compared is those, in
//! constant time.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

use crate::runtime::connections::peer_network;

/// The bytes of a token: 256 bits.
const TOKEN_BYTES: usize = 32;
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3600);
/// For how long one login with a one-time token is possible.
pub const ONE_TIME_LIFE: Duration = Duration::from_secs(600);
/// Sessions at a time; the oldest makes room.
const MAX_SESSIONS: usize = 1024;
/// One-time tokens that wait to be used; the oldest makes room.
const MAX_ONE_TIME: usize = 64;
const THROTTLE_WINDOW: Duration = Duration::from_secs(60);
const WRONG_TOKENS: usize = 5;
/// Peers whose failures are remembered; beyond it the longest quiet one is forgotten.
const MAX_PEERS: usize = 4096;

type Hash = [u8; 32];

/// A secret that has just been drawn: shown once, kept as a hash.
#[derive(Clone)]
pub struct Secret(String);

/// What became of a login.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Login {
    /// The session's secret, for the cookie.
    Welcome(String),
    Wrong,
    /// Too many wrong tokens; ask again after so long.
    Throttled(Duration),
}

/// The doors and their keys.
pub(super) struct Auth {
    token: Hash,
    cookie: String,
    random: SystemRandom,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: VecDeque<(Hash, Instant)>,
    one_time: VecDeque<(Hash, Instant)>,
    failures: HashMap<IpAddr, VecDeque<Instant>>,
}

impl Secret {
    fn draw(random: &SystemRandom) -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        random
            .fill(&mut bytes)
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        Ok(Self(hex(&bytes)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Auth {
    /// Reads the token's file, or makes it. `instance` tells this home's cookie from another's.
    pub fn open(token_file: &Path, instance: &str) -> io::Result<Self> {
        let random = SystemRandom::new();
        let token = read_or_make(token_file, &random)?;
        let instance = hash(instance.as_bytes());
        Ok(Self {
            token: hash(token.as_bytes()),
            cookie: format!("tundra_{}", hex(instance.get(..4).unwrap_or_default())),
            random,
            state: Mutex::default(),
        })
    }

    /// The name of the session cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    pub fn is_token(&self, given: &str) -> bool {
        same(&hash(given.as_bytes()), &self.token)
    }

    /// Whether a cookie's secret is that of a session.
    pub fn is_session(&self, given: &str, now: Instant) -> bool {
        let given = hash(given.as_bytes());
        let mut state = self.state();
        state.sessions.retain(|(_, end)| *end > now);
        // No early end: how long it takes says nothing of which one it was.
        state
            .sessions
            .iter()
            .fold(false, |found, (hash, _)| same(hash, &given) | found)
    }

    /// Draws a token that is good for one login.
    pub fn one_time(&self, now: Instant) -> io::Result<Secret> {
        let secret = Secret::draw(&self.random)?;
        let mut state = self.state();
        state.one_time.retain(|(_, end)| *end > now);
        if state.one_time.len() >= MAX_ONE_TIME {
            state.one_time.pop_front();
        }
        state
            .one_time
            .push_back((hash(secret.0.as_bytes()), now + ONE_TIME_LIFE));
        Ok(secret)
    }

    /// Swaps a token for a session. `known` peers, who show a valid bearer or cookie, are not throttled.
    pub fn login(&self, given: &str, peer: IpAddr, known: bool, now: Instant) -> io::Result<Login> {
        let peer = peer_network(peer);
        let given = hash(given.as_bytes());
        let mut state = self.state();
        if !known && let Some(wait) = state.throttled(peer, now) {
            return Ok(Login::Throttled(wait));
        }
        state.one_time.retain(|(_, end)| *end > now);
        let used = state
            .one_time
            .iter()
            .position(|(hash, _)| same(hash, &given));
        if let Some(used) = used {
            state.one_time.remove(used);
        } else if !same(&given, &self.token) {
            state.failed(peer, now);
            return Ok(Login::Wrong);
        }
        let secret = Secret::draw(&self.random)?;
        state.sessions.retain(|(_, end)| *end > now);
        if state.sessions.len() >= MAX_SESSIONS {
            state.sessions.pop_front();
        }
        state
            .sessions
            .push_back((hash(secret.0.as_bytes()), now + SESSION_LIFE));
        Ok(Login::Welcome(secret.0))
    }

    /// Ends a session.
    pub fn logout(&self, given: &str) {
        let given = hash(given.as_bytes());
        self.state()
            .sessions
            .retain(|(hash, _)| !same(hash, &given));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}

impl State {
    fn throttled(&mut self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.failures.get_mut(&peer)?;
        failures.retain(|at| now.duration_since(*at) < THROTTLE_WINDOW);
        let oldest = *failures.front()?;
        (failures.len() >= WRONG_TOKENS).then(|| (oldest + THROTTLE_WINDOW).duration_since(now))
    }

    fn failed(&mut self, peer: IpAddr, now: Instant) {
        if self.failures.len() >= MAX_PEERS && !self.failures.contains_key(&peer) {
            let quiet = self
                .failures
                .iter()
                .min_by_key(|(_, at)| at.back().copied());
            if let Some(quiet) = quiet.map(|(peer, _)| *peer) {
                self.failures.remove(&quiet);
            }
        }
        self.failures.entry(peer).or_default().push_back(now);
    }
}

fn read_or_make(path: &Path, random: &SystemRandom) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if is_token_text(text.trim()) => {
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
            return Ok(text.trim().to_owned());
        }
        Ok(_) => {
            tracing::warn!(path = %path.display(), "the file holds no token of 256 bits; a new one is made");
            fs::remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = Secret::draw(random)?;
    write_private(path, format!("{}\n", secret.0).as_bytes())?;
    Ok(secret.0)
}

fn is_token_text(text: &str) -> bool {
    text.len() == TOKEN_BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Writes a file that only its owner can read, whole or not at all.
pub(super) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

pub(super) fn hash(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// Compares in constant time.
fn same(left: &Hash, right: &Hash) -> bool {
    let difference = left
        .iter()
        .zip(right)
        .fold(0, |difference, (left, right)| difference | (left ^ right));
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auth(name: &str) -> (Auth, String, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("tundra-auth-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let auth = Auth::open(&path, "home").unwrap();
        let token = fs::read_to_string(&path).unwrap().trim().to_owned();
        (auth, token, path)
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_token_is_made_once_and_is_private() {
        let (_, token, path) = auth("made");
        assert_eq!(token.len(), 64);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Auth::open(&path, "home").unwrap();
        assert!(again.is_token(&token));
        assert!(!again.is_token(&token.to_uppercase().replace('0', "1")));
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_one_time_token_is_good_for_one_login_within_its_time() {
        let (auth, _, path) = auth("once");
        let now = Instant::now();
        let secret = auth.one_time(now).unwrap();
        assert!(!auth.is_token(secret.as_str()));
        let Login::Welcome(session) = auth.login(secret.as_str(), PEER, false, now).unwrap() else {
            unreachable!()
        };
        assert!(auth.is_session(&session, now));
        assert!(!auth.is_session(&session, now + SESSION_LIFE));
        assert_eq!(
            auth.login(secret.as_str(), PEER, false, now).unwrap(),
            Login::Wrong
        );
        let late = auth.one_time(now).unwrap();
        let later = now + ONE_TIME_LIFE;
        assert_eq!(
            auth.login(late.as_str(), PEER, false, later).unwrap(),
            Login::Wrong
        );
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_sixth_wrong_token_within_a_minute_waits() {
        let (auth, token, path) = auth("throttle");
        let now = Instant::now();
        for _ in 0..5 {
            assert_eq!(auth.login("no", PEER, false, now).unwrap(), Login::Wrong);
        }
        let soon = now + Duration::from_secs(20);
        let wait = Login::Throttled(Duration::from_secs(40));
        assert_eq!(auth.login(&token, PEER, false, soon).unwrap(), wait);
        let other = "127.0.0.2".parse().unwrap();
        assert!(matches!(
            auth.login(&token, other, false, soon).unwrap(),
            Login::Welcome(_)
        ));
        assert!(matches!(
            auth.login(&token, PEER, true, soon).unwrap(),
            Login::Welcome(_)
        ));
        let free = now + THROTTLE_WINDOW;
        assert!(matches!(
            auth.login(&token, PEER, false, free).unwrap(),
            Login::Welcome(_)
        ));
        fs::remove_file(path).unwrap();
    }
}
