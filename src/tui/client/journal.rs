//! The view of the journal, while it is open: usage, or what happened.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::store::{Grouping, UsageRow, UsageSum};

/// Between two readings of a journal that is written to meanwhile.
pub const READ_AGAIN: Duration = Duration::from_millis(500);

const HOUR: u64 = 3600;

/// The view of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalView {
    pub page: JournalPage,
    pub span: JournalSpan,
    /// What a row of usage stands for.
    pub by: Grouping,
    /// The family of the events that are shown; None for all.
    pub family: Option<&'static str>,
    /// As it was read last; None until it was, or why it could not be.
    pub contents: Option<Result<JournalContents, String>>,
    /// Lines scrolled from the top of usage, and up from the newest event.
    pub scroll: usize,
    /// The number of the last question: only its answer counts.
    pub asked: u64,
    pub reading: Reading,
    /// When it was read last.
    pub read_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalPage {
    Usage,
    History,
}

/// How far back one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum JournalSpan {
    Hour,
    #[default]
    Day,
    Week,
    Month,
    All,
}

/// How it stands with the reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The question is under way, and whether something was written since.
    UnderWay {
        is_stale: bool,
    },
    Done(Instant),
    /// Something was written since; it is read again then.
    Due(Instant),
}

/// What is asked of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalQuery {
    pub number: u64,
    pub page: JournalPage,
    pub span: JournalSpan,
    pub by: Grouping,
    pub family: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalContents {
    Usage(UsageContents),
    History(Vec<HistoryEntry>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageContents {
    pub rows: Vec<UsageRow>,
    pub total: UsageSum,
    /// One slot for each hour or day, those without usage too, the oldest first.
    pub slots: Vec<(Timestamp, UsageSum)>,
}

/// An event as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    pub at: Timestamp,
    pub kind: String,
    /// What happened, with whom it is about and who caused it.
    pub text: String,
}

impl JournalSpan {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::All => "the beginning",
        }
    }

    /// The next one, around the end.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Hour => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::Month,
            Self::Month => Self::All,
            Self::All => Self::Hour,
        }
    }

    /// None for all that there is.
    #[must_use]
    pub const fn back(self) -> Option<Duration> {
        Some(Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
            Self::All => return None,
        }))
    }

    /// What one bar stands for: so many hours or days as fit on a screen.
    #[must_use]
    pub const fn slot(self) -> Grouping {
        match self {
            Self::Hour | Self::Day => Grouping::Hour,
            Self::Week | Self::Month | Self::All => Grouping::Day,
        }
    }
}

impl JournalView {
    #[must_use]
    pub fn new(page: JournalPage) -> Self {
        Self {
            page,
            span: JournalSpan::default(),
            by: Grouping::default(),
            family: None,
            contents: None,
            scroll: 0,
            asked: 0,
            reading: Reading::UnderWay { is_stale: false },
            read_at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The next question; its answer is what is shown then.
    pub fn ask(&mut self) -> JournalQuery {
        self.asked += 1;
        self.reading = Reading::UnderWay { is_stale: false };
        JournalQuery {
            number: self.asked,
            page: self.page,
            span: self.span,
            by: self.by,
            family: self.family,
        }
    }

    /// When it is to be read again.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        match self.reading {
            Reading::Due(at) => Some(at),
            Reading::UnderWay { .. } | Reading::Done(_) => None,
        }
    }
}
