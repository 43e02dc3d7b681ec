//! Messages: shown for a while as toasts, kept in a log.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::tui::notice::Severity;
use crate::tui::now::Now;

/// Messages kept; older ones are in the log file.
const KEPT: usize = 500;
/// Toasts on the screen at once; a newer one pushes the oldest out.
const SHOWN: usize = 4;
/// A toast that could be read for so long goes when its user types on.
const READ_WITHIN: Duration = Duration::from_millis(1500);

/// Short, since a toast lies over what programs show; the hint line and the log keep its text.
const fn lifetime(severity: Severity) -> Duration {
    Duration::from_secs(match severity {
        Severity::Info | Severity::Success => 3,
        Severity::Warning => 5,
        Severity::Error => 8,
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub severity: Severity,
    pub text: String,
    pub at: Timestamp,
    /// How often it came in a row.
    pub count: u32,
}

impl Message {
    /// The text, with how often it came.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.count {
            0 | 1 => self.text.clone(),
            count => format!("{} (x{count})", self.text),
        }
    }
}

#[derive(Debug, Default)]
pub struct Messages {
    log: VecDeque<Message>,
    toasts: VecDeque<Toast>,
    /// When the newest came.
    newest: Option<Instant>,
    age: Age,
}

/// How old the newest message is, in steps that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Age {
    /// Less than a minute.
    #[default]
    New,
    Minutes(u64),
    /// It has been there for long enough.
    Gone,
}

impl Age {
    const MINUTE: u64 = 60;
    /// The last event goes after half an hour; the log keeps it.
    const END: u64 = 30 * Self::MINUTE;

    fn of(age: Duration) -> Self {
        match age.as_secs() {
            ..Self::MINUTE => Self::New,
            seconds @ ..Self::END => Self::Minutes(seconds / Self::MINUTE),
            _ => Self::Gone,
        }
    }

    /// The age at which the next step begins.
    fn until(self) -> Option<Duration> {
        match self {
            Self::New => Some(Duration::from_secs(Self::MINUTE)),
            Self::Minutes(minutes) => Some(Duration::from_secs((minutes + 1) * Self::MINUTE)),
            Self::Gone => None,
        }
    }
}

#[derive(Debug)]
struct Toast {
    message: Message,
    since: Instant,
    until: Instant,
}

impl Messages {
    /// Of messages that were told elsewhere, oldest first.
    #[must_use]
    pub fn of_log(log: VecDeque<Message>) -> Self {
        Self {
            log,
            age: Age::Gone,
            ..Self::default()
        }
    }

    /// Shows a message and keeps it.
    pub fn tell(&mut self, severity: Severity, text: impl Into<String>, now: Now) {
        let message = self.note(severity, text, now);
        let until = now.instant + lifetime(severity);
        self.toasts
            .retain(|toast| toast.message.text != message.text);
        self.toasts.push_back(Toast {
            message,
            since: now.instant,
            until,
        });
        if self.toasts.len() > SHOWN {
            self.toasts.pop_front();
        }
    }

    /// Keeps a message without showing it; the hint line tells the newest.
    pub fn note(&mut self, severity: Severity, text: impl Into<String>, now: Now) -> Message {
        let text = text.into();
        self.newest = Some(now.instant);
        self.age = Age::New;
        if let Some(last) = self.log.back_mut()
            && last.text == text
        {
            last.count = last.count.saturating_add(1);
            last.at = now.wall;
            return last.clone();
        }
        let message = Message {
            severity,
            text,
            at: now.wall,
            count: 1,
        };
        self.log.push_back(message.clone());
        if self.log.len() > KEPT {
            self.log.pop_front();
        }
        message
    }

    /// Takes down what has been shown long enough, and lets the newest grow old; tells whether anything changed.
    pub fn expire(&mut self, now: Instant) -> bool {
        let age = self.newest.map_or(Age::New, |newest| {
            Age::of(now.saturating_duration_since(newest))
        });
        let older = std::mem::replace(&mut self.age, age) != age;
        self.keep(|toast| toast.until > now) || older
    }

    /// The newest message and how old it is; `None` once it is too old to matter.
    #[must_use]
    pub fn newest(&self) -> Option<(&Message, Age)> {
        let newest = self.log.back().map(|message| (message, self.age));
        newest.filter(|(_, age)| *age != Age::Gone)
    }

    /// The user types into what toasts lie over: takes down those that could be read; tells whether there were any.
    pub fn typed(&mut self, now: Instant) -> bool {
        self.keep(|toast| now < toast.since + READ_WITHIN)
    }

    fn keep(&mut self, stays: impl Fn(&Toast) -> bool) -> bool {
        let before = self.toasts.len();
        self.toasts.retain(stays);
        self.toasts.len() != before
    }

    /// Takes all toasts down.
    pub fn dismiss(&mut self) {
        self.toasts.clear();
    }

    /// Toasts to show, oldest first.
    pub fn toasts(&self) -> impl Iterator<Item = &Message> {
        self.toasts.iter().map(|toast| &toast.message)
    }

    /// All that is kept, oldest first.
    #[must_use]
    pub fn log(&self) -> &VecDeque<Message> {
        &self.log
    }

    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let until = self.age.until();
        let older = self.newest.zip(until).map(|(newest, until)| newest + until);
        self.toasts
            .iter()
            .map(|toast| toast.until)
            .chain(older)
            .min()
    }
}
