//! Who may come in: the token, one-time tokens, sessions and the login throttle.
//!
//! No secret is kept as it is: only SHA-256 hashes stay in memory, and what is compared is those, in constant time. A
//! session is two secrets. Its cookie goes with every request that a browser makes to this host, whatever the port, since
//! cookies know no ports; its page key stays in storage that does, so that neither of the two opens anything alone.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::{Choice, ConstantTimeEq};

use super::kept::{KeptAuth, KeptSession};
use crate::runtime::connections::peer_network;
use crate::runtime::handover::{millis_since, since_millis};
use crate::runtime::private;

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
    Welcome(NewSession),
    Wrong,
    /// Too many wrong tokens; ask again after so long.
    Throttled(Duration),
}

/// The secrets of a session that has just begun.
#[derive(PartialEq, Eq)]
pub(super) struct NewSession {
    pub cookie: String,
    pub page_key: String,
}

/// Why a request without a bearer token is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionError {
    /// No cookie is that of a session.
    Unknown,
    /// The cookie is, but there is no page key beside it.
    NoPageKey,
    /// The page key is that of another session, or of none.
    WrongPageKey,
}

/// The secrets that let in.
pub(super) struct Auth {
    token: Hash,
    cookie: String,
    random: SystemRandom,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: VecDeque<Session>,
    one_time: VecDeque<(Hash, Instant)>,
    failures: HashMap<IpAddr, VecDeque<Instant>>,
}

struct Session {
    cookie: Hash,
    page_key: Hash,
    end: Instant,
}

impl std::fmt::Debug for NewSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewSession")
    }
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
    ///
    /// # Errors
    /// When the file can be neither read nor written, or the system gives no random numbers.
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

    /// What goes over to another program.
    pub fn keep(&self, now: Instant) -> KeptAuth {
        let left = |end: Instant| {
            u64::try_from(end.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX)
        };
        let state = self.state();
        KeptAuth {
            sessions: state
                .sessions
                .iter()
                .map(|session| KeptSession {
                    cookie: hex(&session.cookie),
                    page_key: hex(&session.page_key),
                    left_ms: left(session.end),
                })
                .collect(),
            one_time: state
                .one_time
                .iter()
                .map(|(hash, end)| (hex(hash), left(*end)))
                .collect(),
            failures: state
                .failures
                .iter()
                .map(|(peer, at)| {
                    let ago = at.iter().map(|at| millis_since(*at)).collect();
                    (peer.to_string(), ago)
                })
                .collect(),
        }
    }

    /// Takes up what another program kept.
    pub fn resume(&self, kept: &KeptAuth, now: Instant) {
        let end = |left: u64| now.checked_add(Duration::from_millis(left));
        let mut state = self.state();
        state.sessions = kept
            .sessions
            .iter()
            .filter_map(|session| {
                Some(Session {
                    cookie: unhex(&session.cookie)?,
                    page_key: unhex(&session.page_key)?,
                    end: end(session.left_ms)?,
                })
            })
            .collect();
        state.one_time = kept
            .one_time
            .iter()
            .filter_map(|(hash, left)| Some((unhex(hash)?, end(*left)?)))
            .collect();
        state.failures = kept
            .failures
            .iter()
            .filter_map(|(peer, ago)| {
                let at = ago.iter().map(|ago| since_millis(*ago)).collect();
                Some((peer.parse().ok()?, at))
            })
            .collect();
    }

    /// The name of the session cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    pub fn is_token(&self, given: &str) -> bool {
        hash(given.as_bytes()).ct_eq(&self.token).into()
    }

    /// Finds the session that one of the cookies and the page key belong to. Any cookie may be it: another port of this host
    /// can set one of the same name.
    ///
    /// # Errors
    /// [`SessionError`], which tells what was wrong or missing.
    pub fn check_session<'c>(
        &self,
        cookies: impl IntoIterator<Item = &'c str>,
        page_key: Option<&str>,
        now: Instant,
    ) -> Result<(), SessionError> {
        let page_key_hash = hash(page_key.unwrap_or_default().as_bytes());
        let mut state = self.state();
        state.sessions.retain(|session| session.end > now);
        let (mut known, mut whole) = (Choice::from(0), Choice::from(0));
        for cookie in cookies {
            let cookie = hash(cookie.as_bytes());
            // No early end: how long it takes says nothing of which one it was.
            for session in &state.sessions {
                let is_cookie = session.cookie.ct_eq(&cookie);
                known |= is_cookie;
                whole |= is_cookie & session.page_key.ct_eq(&page_key_hash);
            }
        }
        match (bool::from(known), page_key) {
            (false, _) => Err(SessionError::Unknown),
            (true, None) => Err(SessionError::NoPageKey),
            (true, Some(_)) if bool::from(whole) => Ok(()),
            (true, Some(_)) => Err(SessionError::WrongPageKey),
        }
    }

    /// Draws a token that is good for one login.
    ///
    /// # Errors
    /// When the system gives no random numbers.
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

    /// Swaps a token for a session. The token is looked at first: whoever has a right one is let in, however many wrong
    /// ones came before it. `known` peers, who show a valid bearer or session besides, are not throttled either.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn login(&self, given: &str, peer: IpAddr, known: bool, now: Instant) -> io::Result<Login> {
        let given = hash(given.as_bytes());
        let mut state = self.state();
        let is_token = bool::from(given.ct_eq(&self.token));
        if !state.use_one_time(&given, now) && !is_token {
            let peer = peer_network(peer);
            if !known && let Some(wait) = state.throttled(peer, now) {
                return Ok(Login::Throttled(wait));
            }
            state.failed(peer, now);
            return Ok(Login::Wrong);
        }
        let cookie = Secret::draw(&self.random)?;
        let page_key = Secret::draw(&self.random)?;
        state.sessions.retain(|session| session.end > now);
        if state.sessions.len() >= MAX_SESSIONS {
            state.sessions.pop_front();
        }
        state.sessions.push_back(Session {
            cookie: hash(cookie.0.as_bytes()),
            page_key: hash(page_key.0.as_bytes()),
            end: now + SESSION_LIFE,
        });
        Ok(Login::Welcome(NewSession {
            cookie: cookie.0,
            page_key: page_key.0,
        }))
    }

    /// Ends the sessions that these cookies name.
    pub fn logout<'c>(&self, cookies: impl IntoIterator<Item = &'c str>) {
        let mut state = self.state();
        for cookie in cookies {
            let cookie = hash(cookie.as_bytes());
            state
                .sessions
                .retain(|session| !bool::from(session.cookie.ct_eq(&cookie)));
        }
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
    /// Whether this is a one-time token; it is used up then.
    fn use_one_time(&mut self, given: &Hash, now: Instant) -> bool {
        self.one_time.retain(|(_, end)| *end > now);
        let before = self.one_time.len();
        self.one_time
            .retain(|(hash, _)| !bool::from(hash.ct_eq(given)));
        self.one_time.len() < before
    }

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
    private::replace_soon(path, format!("{}\n", secret.0).as_bytes())?;
    Ok(secret.0)
}

fn is_token_text(text: &str) -> bool {
    text.len() == TOKEN_BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
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

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    if text.len() != hash.len() * 2 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        let digits = text.get(index * 2..index * 2 + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(hash)
}

pub(super) fn hash(bytes: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// With its token, and the folder that holds the token's file.
    fn auth() -> (Auth, String, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let auth = Auth::open(&path, "home").unwrap();
        let token = fs::read_to_string(&path).unwrap().trim().to_owned();
        (auth, token, folder)
    }

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn the_token_is_made_once_and_is_private() {
        let (_, token, folder) = auth();
        let path = folder.path().join("token");
        assert_eq!(token.len(), 64);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Auth::open(&path, "home").unwrap();
        assert!(again.is_token(&token));
        assert!(!again.is_token(&token.to_uppercase().replace('0', "1")));
    }

    fn welcome(login: Login) -> NewSession {
        match login {
            Login::Welcome(session) => session,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_one_time_token_is_good_for_one_login_within_its_time() {
        let (auth, _, _folder) = auth();
        let now = Instant::now();
        let secret = auth.one_time(now).unwrap();
        assert!(!auth.is_token(secret.as_str()));
        let login = |secret: &Secret, now| auth.login(secret.as_str(), PEER, false, now).unwrap();
        let session = welcome(login(&secret, now));
        let check = |now| {
            let cookies = [session.cookie.as_str()];
            auth.check_session(cookies, Some(&session.page_key), now)
        };
        assert_eq!(check(now), Ok(()));
        assert_eq!(check(now + SESSION_LIFE), Err(SessionError::Unknown));
        assert_eq!(login(&secret, now), Login::Wrong);
        let late = auth.one_time(now).unwrap();
        assert_eq!(login(&late, now + ONE_TIME_LIFE), Login::Wrong);
    }

    #[test]
    fn a_cookie_opens_nothing_without_the_page_key_of_its_session() {
        let (auth, token, _folder) = auth();
        let now = Instant::now();
        let mine = welcome(auth.login(&token, PEER, false, now).unwrap());
        let other = welcome(auth.login(&token, PEER, false, now).unwrap());
        let check = |cookies: &[&str], key| auth.check_session(cookies.iter().copied(), key, now);
        assert_eq!(check(&[&mine.cookie], None), Err(SessionError::NoPageKey));
        let foreign = Some(other.page_key.as_str());
        assert_eq!(
            check(&[&mine.cookie], foreign),
            Err(SessionError::WrongPageKey)
        );
        let own = Some(mine.page_key.as_str());
        assert_eq!(check(&[], own), Err(SessionError::Unknown));
        assert_eq!(check(&["planted"], own), Err(SessionError::Unknown));
        // Another port of this host may have set one of the same name.
        assert_eq!(check(&["planted", &mine.cookie, "again"], own), Ok(()));
    }

    #[test]
    fn wrong_tokens_are_throttled_and_a_right_one_never_is() {
        let (auth, token, _folder) = auth();
        let now = Instant::now();
        let login = |token: &str, peer, known, now| auth.login(token, peer, known, now).unwrap();
        for _ in 0..5 {
            assert_eq!(login("no", PEER, false, now), Login::Wrong);
        }
        let soon = now + Duration::from_secs(20);
        let wait = Login::Throttled(Duration::from_secs(40));
        assert_eq!(login("no", PEER, false, soon), wait);
        welcome(login(&token, PEER, false, soon));
        let once = auth.one_time(soon).unwrap();
        welcome(login(once.as_str(), PEER, false, soon));
        // A right one takes nothing back from those who guess.
        assert_eq!(login("no", PEER, false, soon), wait);
        assert_eq!(login("no", PEER, true, soon), Login::Wrong);
        let other = "127.0.0.2".parse().unwrap();
        assert_eq!(login("no", other, false, soon), Login::Wrong);
        let free = soon + THROTTLE_WINDOW;
        assert_eq!(login("no", PEER, false, free), Login::Wrong);
    }
}
