//! What a subscription's plan has left: its windows, as the vendors tell them, and when it is used up.
//!
//! A plan belongs to a login. Vendors tell a window's use with every answer: Anthropic in
//! `anthropic-ratelimit-unified-NAME-{utilization,reset,status}`, `ChatGPT` in
//! `x-codex-{primary,secondary}-{used-percent,window-minutes,reset-at,reset-after-seconds}`. Names of windows are an open
//! set: what is told is kept.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Windows of one plan that are kept; no vendor has half as many.
const MOST_WINDOWS: usize = 16;
/// The longest name of a window that is believed.
const LONGEST_NAME: usize = 32;
/// How long a plan counts as used up whose vendor told no time.
const UNTOLD: SignedDuration = SignedDuration::from_hours(1);
/// No plan is used up for longer, whatever is told.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 40);
/// From this much of a window on its user is warned.
pub const WARN_AT: f64 = 0.8;

/// One window of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// `5h`, `7d`, `7d_opus`: as told, or made from its length.
    pub name: String,
    /// A fraction; above 1 where the vendor says so.
    pub used: f64,
    /// When it begins anew.
    pub resets_at: Option<Timestamp>,
    /// The vendor's own word: `allowed`, `allowed_warning`, `rejected`.
    pub status: Option<String>,
}

/// What is used beyond the plan, for money. Anthropic tells it with every answer.
pub const OVERAGE: &str = "overage";

impl Window {
    /// Whether it is worth its place on a screen: that nothing is used beyond the plan goes without saying.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.name != OVERAGE || self.used > 0.0
    }

    /// What is used, in whole percents.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is told is not negative and below a thousand"
    )]
    pub fn percent(&self) -> u32 {
        (self.used * 100.0).round() as u32
    }

    fn is_over(&self, wall: Timestamp) -> bool {
        self.resets_at.is_some_and(|resets_at| resets_at <= wall)
    }
}

/// The windows of one plan, in the order of their names' lengths of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows(Vec<Window>);

impl Windows {
    /// What a response's headers tell; `headers` are given with lower-case names. What cannot be read is not there.
    pub fn told<'h>(headers: impl Iterator<Item = (&'h str, &'h str)>, wall: Timestamp) -> Self {
        let mut unified = Vec::<Partial>::new();
        let mut codex = [Codex::default(), Codex::default()];
        for (name, value) in headers {
            let value = value.trim();
            if let Some(rest) = name.strip_prefix("anthropic-ratelimit-unified-") {
                read_unified(&mut unified, rest, value);
            } else if let Some(rest) = name.strip_prefix("x-codex-primary-") {
                codex[0].read(rest, value);
            } else if let Some(rest) = name.strip_prefix("x-codex-secondary-") {
                codex[1].read(rest, value);
            }
        }
        let mut windows = Self::default();
        let unified = unified.into_iter().filter_map(Partial::whole);
        let codex = codex.into_iter().filter_map(|window| window.whole(wall));
        for window in unified.chain(codex) {
            windows.put(window);
        }
        windows
    }

    /// The windows in `kept`, such as those of an earlier run.
    pub fn of(kept: impl IntoIterator<Item = Window>) -> Self {
        let mut windows = Self::default();
        for window in kept {
            windows.put(window);
        }
        windows
    }

    /// Takes what is newer; windows that it does not tell stay.
    pub fn learn(&mut self, newer: Self) {
        for window in newer.0 {
            self.put(window);
        }
    }

    /// Those that have not begun anew since they were told.
    pub fn live(&self, wall: Timestamp) -> impl Iterator<Item = &Window> {
        self.0.iter().filter(move |window| !window.is_over(wall))
    }

    /// Lets go of those that have begun anew.
    pub fn expire(&mut self, wall: Timestamp) {
        self.0.retain(|window| !window.is_over(wall));
    }

    /// Whether none was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, window: Window) {
        let known = self.0.iter_mut().find(|known| known.name == window.name);
        if let Some(known) = known {
            *known = window;
        } else if self.0.len() < MOST_WINDOWS {
            self.0.push(window);
            self.0.sort_by(|a, b| rank(&a.name).cmp(&rank(&b.name)));
        }
    }
}

/// Shorter windows first, then by name: `5h`, `7d`, `7d_opus`.
fn rank(name: &str) -> (u64, &str) {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = name.split_at_checked(digits).unwrap_or((name, ""));
    let minutes = match unit.bytes().next() {
        Some(b'm') => 1,
        Some(b'h') => 60,
        Some(b'd') => 24 * 60,
        _ => return (u64::MAX, name),
    };
    let count = number.parse::<u64>().unwrap_or(u64::MAX);
    (count.saturating_mul(minutes), name)
}

/// What has been told of a window so far.
struct Partial {
    name: String,
    used: Option<f64>,
    resets_at: Option<Timestamp>,
    status: Option<String>,
}

impl Partial {
    fn whole(self) -> Option<Window> {
        Some(Window {
            used: self.used?,
            name: self.name,
            resets_at: self.resets_at,
            status: self.status,
        })
    }
}

/// `rest` is what follows `anthropic-ratelimit-unified-`: `NAME-utilization` and its kind.
fn read_unified(windows: &mut Vec<Partial>, rest: &str, value: &str) {
    let Some((name, field)) = rest.rsplit_once('-') else {
        return;
    };
    if !is_name(name) || !matches!(field, "utilization" | "reset" | "status") {
        return;
    }
    let at = windows.iter().position(|window| window.name == name);
    let at = at.unwrap_or_else(|| {
        windows.push(Partial {
            name: name.to_owned(),
            used: None,
            resets_at: None,
            status: None,
        });
        windows.len() - 1
    });
    let Some(window) = windows.get_mut(at) else {
        return;
    };
    match field {
        "utilization" => window.used = fraction(value),
        "reset" => window.resets_at = time(value),
        _ => window.status = word(value),
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(fits)
}

/// A vendor's word that may be shown.
fn word(value: &str) -> Option<String> {
    is_name(value).then(|| value.to_owned())
}

fn fraction(value: &str) -> Option<f64> {
    value
        .parse::<f64>()
        .ok()
        .filter(|used| used.is_finite() && (0.0..1000.0).contains(used))
}

/// Seconds since 1970, or RFC 3339.
fn time(value: &str) -> Option<Timestamp> {
    match value.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => value.parse().ok(),
    }
}

#[derive(Default)]
struct Codex {
    used: Option<f64>,
    minutes: Option<u64>,
    reset_at: Option<Timestamp>,
    reset_after: Option<i64>,
}

impl Codex {
    fn read(&mut self, field: &str, value: &str) {
        match field {
            "used-percent" => self.used = fraction(value).map(|percent| percent / 100.0),
            "window-minutes" => self.minutes = value.parse().ok().filter(|minutes| *minutes > 0),
            "reset-at" => self.reset_at = time(value),
            "reset-after-seconds" => self.reset_after = value.parse().ok(),
            _ => {}
        }
    }

    fn whole(self, wall: Timestamp) -> Option<Window> {
        let minutes = self.minutes?;
        let name = if minutes.is_multiple_of(24 * 60) {
            format!("{}d", minutes / (24 * 60))
        } else if minutes.is_multiple_of(60) {
            format!("{}h", minutes / 60)
        } else {
            format!("{minutes}m")
        };
        let after = || {
            wall.checked_add(SignedDuration::from_secs(self.reset_after?))
                .ok()
        };
        Some(Window {
            name,
            used: self.used?,
            resets_at: self.reset_at.or_else(after),
            status: None,
        })
    }
}

/// A vendor's word that a plan is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedUp {
    /// When its window begins anew, at most 40 days from when it was told.
    pub until: Timestamp,
    /// The model family whose window it is, such as `opus`; `None` is the whole plan.
    pub family: Option<String>,
}

impl UsedUp {
    /// What a 429 tells; `None` where it is a matter of rate alone.
    ///
    /// Anthropic says `anthropic-ratelimit-unified-status: rejected`, whatever `overage-status` says beside it, and in
    /// `representative-claim` whose window it is; `ChatGPT` says `usage_limit_reached` in the body. A window of one model
    /// takes `model` out only where its name is in it.
    pub fn told<'h>(
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        model: &str,
        wall: Timestamp,
    ) -> Option<Self> {
        let unified =
            |field| header(&format!("anthropic-ratelimit-unified-{field}")).map(str::trim);
        if unified("status").is_some_and(|status| status.eq_ignore_ascii_case("rejected")) {
            let claim = unified("representative-claim").unwrap_or_default();
            return Some(Self {
                until: bounded(unified("reset").and_then(time), wall),
                family: family(claim, model),
            });
        }
        let body = serde_json::from_slice::<Value>(body).ok()?;
        let error = &body["error"];
        let is_limit = [&error["type"], &error["code"]]
            .into_iter()
            .any(|kind| kind.as_str() == Some("usage_limit_reached"));
        if !is_limit {
            return None;
        }
        let at = error["resets_at"].as_i64().map(Timestamp::from_second);
        let within = || {
            let seconds = SignedDuration::from_secs(error["resets_in_seconds"].as_i64()?);
            wall.checked_add(seconds).ok()
        };
        Some(Self {
            until: bounded(at.and_then(Result::ok).or_else(within), wall),
            family: None,
        })
    }

    /// Whether it stands against a request for `model`.
    #[must_use]
    pub fn concerns(&self, model: &str, wall: Timestamp) -> bool {
        let mine = self
            .family
            .as_ref()
            .is_none_or(|family| model.contains(family.as_str()));
        wall < self.until && mine
    }
}

/// A time to come as seen at `now` on the clock of `zone`: `14:20`, and with its day where that is not within a day.
#[must_use]
pub fn coming(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let is_soon = at.duration_since(now) < SignedDuration::from_hours(24);
    let form = if is_soon { "%H:%M" } else { "%a %H:%M" };
    at.to_zoned_datetime(zone.clone())
        .strftime(form)
        .to_string()
}

fn bounded(until: Option<Timestamp>, wall: Timestamp) -> Timestamp {
    let after = |span| wall.saturating_add(span).unwrap_or(wall);
    match until {
        Some(until) => until.min(after(LONGEST)),
        None => after(UNTOLD),
    }
}

/// The model family that a claim such as `seven_day_opus` or `7d_opus` is about, if `model` is of it.
fn family(claim: &str, model: &str) -> Option<String> {
    let (_, last) = claim.rsplit_once('_')?;
    let is_family = last.len() > 2 && last.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_family && model.contains(last)).then(|| last.to_owned())
}

#[cfg(test)]
mod tests;
