//! Coding agents: what the one in a terminal is doing.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::adapter::AgentName;

/// What an agent is doing, as far as can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AgentState {
    /// Nothing told yet.
    #[default]
    Unknown,
    Working,
    /// It asks the user for something.
    Waiting,
    /// It finished and nobody has looked since.
    Done,
    Idle,
}

impl AgentState {
    pub const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Working,
        Self::Waiting,
        Self::Done,
        Self::Idle,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Working => "working",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The evidence an agent's state rests on, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// The pane has been quiet, or has not.
    Output,
    /// The title (OSC 0, 2) or progress (OSC 9;4).
    Title,
    /// A notification (BEL, OSC 9, 99, 777).
    Notification,
}

impl Evidence {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Title => "title",
            Self::Notification => "notification",
        }
    }
}

/// An agent in a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its adapter's name.
    pub kind: AgentName,
    pub state: AgentState,
    pub since: Timestamp,
    pub by: Evidence,
}

/// How long an agent must be quiet before it is taken to have finished.
const QUIET: Duration = Duration::from_secs(3);

/// Output this soon after input is taken for its echo, not for work.
const ECHO: Duration = Duration::from_millis(400);

/// Something that bears on what an agent is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The program wrote something.
    Output,
    /// The user typed something.
    Input,
    /// It rang the bell or sent a notification: it wants the user.
    Notification,
    /// The window title changed.
    Title(String),
    /// OSC 9;4: whether progress is under way.
    Progress { running: bool },
    /// The user looked at the pane.
    Seen,
    /// Time has passed; sent when [`Tracker::due`] says so.
    Tick,
}

/// Follows one agent from signs. A weaker sign never overrules a stronger one that still holds.
#[derive(Clone, Debug)]
pub struct Tracker {
    agent: Agent,
    /// Since when it has been quiet, while that matters.
    last_output: Option<Instant>,
    last_input: Option<Instant>,
}

impl Tracker {
    pub fn new(kind: AgentName, at: Timestamp) -> Self {
        let agent = Agent {
            kind,
            state: AgentState::Unknown,
            since: at,
            by: Evidence::Output,
        };
        Self {
            agent,
            last_output: None,
            last_input: None,
        }
    }

    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// When a [`Sign::Tick`] is wanted: only while the agent works, so that an idle one costs nothing.
    pub fn due(&self) -> Option<Instant> {
        let quiet_ends =
            self.agent.state == AgentState::Working && self.agent.by == Evidence::Output;
        quiet_ends.then_some(self.last_output?.checked_add(QUIET)?)
    }

    /// Takes a sign in; true when the agent's state or its evidence changed.
    pub fn handle(&mut self, sign: &Sign, now: Instant, at: Timestamp) -> bool {
        let before = (self.agent.state, self.agent.by);
        let next = match sign {
            Sign::Output => self.output(now),
            Sign::Input => {
                self.last_input = Some(now);
                // Whatever it waited for, the user is answering.
                (before.0 == AgentState::Waiting).then_some((AgentState::Idle, Evidence::Output))
            }
            Sign::Notification => Some((AgentState::Waiting, Evidence::Notification)),
            Sign::Title(title) => state_of_title(title).map(|state| (state, Evidence::Title)),
            Sign::Progress { running: true } => Some((AgentState::Working, Evidence::Title)),
            Sign::Progress { running: false } => {
                (before.0 == AgentState::Working).then_some((AgentState::Done, Evidence::Title))
            }
            Sign::Seen => {
                (before.0 == AgentState::Done).then_some((AgentState::Idle, self.agent.by))
            }
            Sign::Tick => self
                .due()
                .is_some_and(|due| due <= now)
                .then_some((AgentState::Done, Evidence::Output)),
        };
        let Some(next) = next.filter(|next| *next != before) else {
            return false;
        };
        if next.0 != before.0 {
            self.agent.since = at;
        }
        (self.agent.state, self.agent.by) = next;
        true
    }

    fn output(&mut self, now: Instant) -> Option<(AgentState, Evidence)> {
        self.last_output = Some(now);
        let echo = self
            .last_input
            .is_some_and(|input| now.duration_since(input) < ECHO);
        let settled_by_title = self.agent.by == Evidence::Title;
        // A spinner redrawn around a question does not take the question back; only input does.
        let asks = self.agent.state == AgentState::Waiting;
        (!echo && !settled_by_title && !asks).then_some((AgentState::Working, Evidence::Output))
    }
}

/// Claude Code opens its title with a braille spinner while it works and with a star while it does not.
fn state_of_title(title: &str) -> Option<AgentState> {
    match title.chars().next()? {
        '\u{2801}'..='\u{28ff}' => Some(AgentState::Working),
        '✳' | '✻' => Some(AgentState::Idle),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story {
        tracker: Tracker,
        start: Instant,
    }

    impl Story {
        fn new() -> Self {
            let tracker = Tracker::new("claude".into(), Timestamp::UNIX_EPOCH);
            Self {
                tracker,
                start: Instant::now(),
            }
        }

        fn at(&mut self, millis: u64, sign: &Sign) -> AgentState {
            let now = self.start + Duration::from_millis(millis);
            let at = Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            self.tracker.handle(sign, now, at);
            self.tracker.agent().state
        }

        fn since(&self) -> i64 {
            self.tracker.agent().since.as_millisecond()
        }
    }

    #[test]
    fn an_agent_that_writes_works_and_is_done_once_quiet() {
        let mut story = Story::new();
        assert_eq!(story.at(0, &Sign::Output), AgentState::Working);
        assert_eq!(story.at(2_900, &Sign::Tick), AgentState::Working);
        assert_eq!(story.at(3_000, &Sign::Tick), AgentState::Done);
        assert_eq!(story.at(3_100, &Sign::Seen), AgentState::Idle);
    }

    #[test]
    fn the_echo_of_typing_is_not_work() {
        let mut story = Story::new();
        story.at(0, &Sign::Input);
        assert_eq!(story.at(10, &Sign::Output), AgentState::Unknown);
        assert_eq!(story.at(1_000, &Sign::Output), AgentState::Working);
    }

    #[test]
    fn a_question_stands_until_the_user_types() {
        let mut story = Story::new();
        story.at(0, &Sign::Output);
        assert_eq!(story.at(10, &Sign::Notification), AgentState::Waiting);
        assert_eq!(story.at(1_000, &Sign::Output), AgentState::Waiting);
        assert_eq!(story.at(2_000, &Sign::Input), AgentState::Idle);
    }

    #[test]
    fn a_title_outranks_output() {
        let mut story = Story::new();
        story.at(0, &Sign::Output);
        assert_eq!(
            story.at(10, &Sign::Title("✳ claude".into())),
            AgentState::Idle
        );
        assert_eq!(story.at(20, &Sign::Output), AgentState::Idle);
        assert_eq!(
            story.at(30, &Sign::Title("⠂ claude".into())),
            AgentState::Working
        );
        assert_eq!(story.tracker.due(), None);
    }

    #[test]
    fn progress_that_ends_is_the_end_of_work_alone() {
        let mut story = Story::new();
        let (runs, ended) = (
            Sign::Progress { running: true },
            Sign::Progress { running: false },
        );
        assert_eq!(story.at(0, &ended), AgentState::Unknown);
        assert_eq!(story.at(10, &runs), AgentState::Working);
        assert_eq!(story.at(20, &ended), AgentState::Done);
        assert_eq!(story.tracker.agent().by, Evidence::Title);
    }

    #[test]
    fn since_is_when_the_state_began_and_not_when_another_sign_said_it_again() {
        let mut story = Story::new();
        story.at(5, &Sign::Output);
        assert_eq!(story.since(), 5);
        story.at(700, &Sign::Progress { running: true });
        let agent = story.tracker.agent();
        assert_eq!(
            (agent.state, agent.by),
            (AgentState::Working, Evidence::Title)
        );
        assert_eq!(story.since(), 5);
        story.at(900, &Sign::Notification);
        assert_eq!(story.since(), 900);
    }

    #[test]
    fn an_echo_ends_400_ms_after_the_key() {
        let mut story = Story::new();
        story.at(1_000, &Sign::Input);
        assert_eq!(story.at(1_399, &Sign::Output), AgentState::Unknown);
        assert_eq!(story.at(1_400, &Sign::Output), AgentState::Working);
    }

    #[test]
    fn states_and_evidence_have_the_names_of_the_contract() {
        let states = AgentState::ALL.map(|state| state.to_string());
        assert_eq!(states, ["unknown", "working", "waiting", "done", "idle"]);
        let evidence = [Evidence::Output, Evidence::Title, Evidence::Notification];
        assert_eq!(
            evidence.map(Evidence::name),
            ["output", "title", "notification"]
        );
    }
}
