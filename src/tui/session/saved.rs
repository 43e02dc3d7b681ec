//! The user's place written down: tabs, their layout, and what ran in each pane.
//!
//! The form is private to this file and has a version. It holds no text of a program and no value of a variable. A pane is
//! brought back under an id of its own: the one that it had is another terminal's for ever.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Session;
use super::pane::Pane;
use super::tab::Tab;
use super::waiting::Waiting;
use crate::domain::budget::Budget;
use crate::domain::id::TerminalId;
use crate::domain::layout::{Axis, Layout, LayoutTree};
use crate::domain::size::Size;
use crate::domain::terminal::{Owner, TerminalInfo, TerminalSpec};

/// Of the form below.
const VERSION: u32 = 1;
/// More panes than a pool has places are nobody's session.
const MAX_PANES: usize = 1000;

/// Why what was written down is none of it.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error("it is no session: {0}")]
    Form(#[from] serde_json::Error),
    #[error("its version is {0}, and {VERSION} is known here")]
    Version(u32),
    #[error("it names {0}")]
    Content(&'static str),
}

/// What is known of a terminal elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where its program is now.
    pub cwd: PathBuf,
    /// What it was started with.
    pub spec: Option<TerminalSpec>,
    /// What it may use now, which may be another budget than it was started with.
    pub budget: Budget,
}

/// A session as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    version: u32,
    active: usize,
    hides_sidebar: bool,
    hides_providers: bool,
    tabs: Vec<SavedTab>,
    panes: Vec<SavedPane>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedTab {
    name: Option<String>,
    focus: String,
    zoomed: bool,
    layout: SavedLayout,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SavedLayout {
    Pane(String),
    Columns(SavedSplit),
    Rows(SavedSplit),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedSplit {
    part: u32,
    whole: u32,
    first: Box<SavedLayout>,
    second: Box<SavedLayout>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedPane {
    id: String,
    /// None for one that is called by what runs in it.
    name: Option<String>,
    /// Empty for the configured shell, or the agent's own command.
    command: Vec<String>,
    cwd: Option<PathBuf>,
    agent: Option<String>,
    persistent: bool,
    gateway: bool,
    confine: Option<bool>,
    budget_nanodollars: Option<u64>,
    budget_tokens: Option<u64>,
    /// Names alone.
    variables: Vec<String>,
    since: Option<Timestamp>,
}

impl SavedSession {
    /// Writes a session down; `origin_of` tells of the terminal of a pane that was started. None where there is nothing to
    /// bring back.
    #[must_use]
    pub fn of(session: &Session, origin_of: impl Fn(TerminalId) -> Option<Origin>) -> Option<Self> {
        Self::of_those(session, origin_of, is_kept)
    }

    /// The same with every pane, for a program that goes on with them.
    #[must_use]
    pub fn whole(
        session: &Session,
        origin_of: impl Fn(TerminalId) -> Option<Origin>,
    ) -> Option<Self> {
        Self::of_those(session, origin_of, |_| true)
    }

    fn of_those(
        session: &Session,
        origin_of: impl Fn(TerminalId) -> Option<Origin>,
        is_kept: impl Fn(&Pane) -> bool,
    ) -> Option<Self> {
        let is_kept = |id: TerminalId| session.panes.get(&id).is_some_and(&is_kept);
        let mut tabs = Vec::new();
        let mut active = 0;
        for (index, tab) in session.tabs.iter().enumerate() {
            if index == session.active {
                active = tabs.len();
            }
            tabs.extend(SavedTab::of(tab, &is_kept));
        }
        let kept = session.panes.iter().filter(|(id, _)| is_kept(**id));
        let panes = kept
            .map(|(id, pane)| SavedPane::of(*id, pane, origin_of(*id)))
            .collect();
        (!tabs.is_empty()).then_some(Self {
            version: VERSION,
            active,
            hides_sidebar: session.hides_sidebar,
            hides_providers: session.hides_providers,
            tabs,
            panes,
        })
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// Where a path in it is no text.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads the bytes of its file.
    ///
    /// # Errors
    /// [`SavedError`] where they are no session, or one of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, SavedError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let head: Head = serde_json::from_slice(json)?;
        if head.version != VERSION {
            return Err(SavedError::Version(head.version));
        }
        let saved: Self = serde_json::from_slice(json)?;
        // What cannot be brought back is found out here.
        saved.restore().map(|_| saved)
    }

    /// How many panes there are.
    #[must_use]
    pub fn pane_count(&self) -> usize {
        self.panes.len()
    }

    /// The session again, with every pane waiting.
    ///
    /// # Errors
    /// [`SavedError::Content`] where its parts do not fit together.
    pub fn restore(&self) -> Result<Session, SavedError> {
        self.with(|saved| {
            let id = TerminalId::random();
            Ok((id, saved.restore(id)))
        })
    }

    /// The session again where its terminals go on under their ids; a pane whose terminal is not there waits.
    ///
    /// # Errors
    /// [`SavedError::Content`] where its parts do not fit together.
    pub fn go_on(
        &self,
        terminal_of: impl Fn(TerminalId) -> Option<(TerminalInfo, Option<TerminalSpec>)>,
    ) -> Result<Session, SavedError> {
        self.with(|saved| {
            let id = saved.id.parse();
            let id = id.map_err(|_| SavedError::Content("a pane by no id"))?;
            let waiting = saved.restore(id);
            let pane = match terminal_of(id) {
                Some((info, spec)) => Pane::new(info, spec.or(waiting.spec)),
                None => waiting,
            };
            Ok((id, pane))
        })
    }

    fn with(
        &self,
        pane_of: impl Fn(&SavedPane) -> Result<(TerminalId, Pane), SavedError>,
    ) -> Result<Session, SavedError> {
        if self.panes.len() > MAX_PANES {
            return Err(SavedError::Content("too many panes"));
        }
        let mut ids = BTreeMap::new();
        let mut panes = BTreeMap::new();
        for saved in &self.panes {
            let (id, pane) = pane_of(saved)?;
            if ids.insert(saved.id.as_str(), id).is_some() {
                return Err(SavedError::Content("a pane twice"));
            }
            panes.insert(id, pane);
        }
        let mut tabs = Vec::new();
        let mut placed = 0;
        for saved in &self.tabs {
            let tab = saved.restore(&ids)?;
            placed += tab.layout.ids().len();
            tabs.push(tab);
        }
        if placed != panes.len() {
            return Err(SavedError::Content(
                "a pane that is in no tab, or in several",
            ));
        }
        Ok(Session {
            active: self.active.min(tabs.len().saturating_sub(1)),
            opened_any: !tabs.is_empty(),
            tabs,
            panes,
            hides_sidebar: self.hides_sidebar,
            hides_providers: self.hides_providers,
            ..Session::default()
        })
    }
}

/// Whether a pane is brought back: not one that ended well and goes, nor one that ends with its viewer.
fn is_kept(pane: &Pane) -> bool {
    !pane.ending && (pane.info.owner != Owner::Remote || pane.info.persistent)
}

impl SavedTab {
    /// None where none of its panes is kept.
    fn of(tab: &Tab, is_kept: &impl Fn(TerminalId) -> bool) -> Option<Self> {
        let layout = SavedLayout::of(&tab.layout.to_tree(), is_kept)?;
        let focus = if is_kept(tab.focus) {
            tab.focus.to_string()
        } else {
            layout.first().to_owned()
        };
        Some(Self {
            name: tab.name.clone(),
            focus,
            zoomed: tab.zoomed,
            layout,
        })
    }

    fn restore(&self, ids: &BTreeMap<&str, TerminalId>) -> Result<Tab, SavedError> {
        let tree = self.layout.to_tree(ids)?;
        let layout = Layout::from_tree(&tree);
        let layout = layout.ok_or(SavedError::Content("a layout that cannot be"))?;
        let focus = ids.get(self.focus.as_str()).copied();
        let focus = focus
            .filter(|focus| layout.contains(*focus))
            .ok_or(SavedError::Content("a focus that is not in its tab"))?;
        Ok(Tab {
            name: self.name.clone(),
            layout,
            zoomed: self.zoomed,
            ..Tab::new(focus)
        })
    }
}

impl SavedLayout {
    /// None where no pane of it is kept.
    fn of(tree: &LayoutTree, is_kept: &impl Fn(TerminalId) -> bool) -> Option<Self> {
        match tree {
            LayoutTree::Pane(id) => is_kept(*id).then(|| Self::Pane(id.to_string())),
            LayoutTree::Split {
                axis,
                part,
                whole,
                first,
                second,
            } => {
                let sides = (Self::of(first, is_kept), Self::of(second, is_kept));
                let (first, second) = match sides {
                    (Some(first), Some(second)) => (Box::new(first), Box::new(second)),
                    (one, other) => return one.or(other),
                };
                let split = SavedSplit {
                    part: *part,
                    whole: *whole,
                    first,
                    second,
                };
                Some(match axis {
                    Axis::Horizontal => Self::Columns(split),
                    Axis::Vertical => Self::Rows(split),
                })
            }
        }
    }

    fn first(&self) -> &str {
        match self {
            Self::Pane(id) => id,
            Self::Columns(split) | Self::Rows(split) => split.first.first(),
        }
    }

    fn to_tree(&self, ids: &BTreeMap<&str, TerminalId>) -> Result<LayoutTree, SavedError> {
        let (axis, split) = match self {
            Self::Pane(id) => {
                let id = ids.get(id.as_str());
                let id = id.ok_or(SavedError::Content("a pane of which nothing is told"))?;
                return Ok(LayoutTree::Pane(*id));
            }
            Self::Columns(split) => (Axis::Horizontal, split),
            Self::Rows(split) => (Axis::Vertical, split),
        };
        Ok(LayoutTree::Split {
            axis,
            part: split.part,
            whole: split.whole,
            first: Box::new(split.first.to_tree(ids)?),
            second: Box::new(split.second.to_tree(ids)?),
        })
    }
}

impl SavedPane {
    fn of(id: TerminalId, pane: &Pane, origin: Option<Origin>) -> Self {
        let (cwd, elsewhere, budget) = match origin {
            Some(origin) => (origin.cwd, origin.spec, Some(origin.budget)),
            None => (pane.info.cwd.clone(), None, None),
        };
        let own = pane.spec.clone();
        let spec = own.or(elsewhere).unwrap_or_else(|| pane.again());
        let budget = budget.unwrap_or(spec.budget);
        let since = match &pane.waiting {
            Some(waiting) => waiting.since,
            None => Some(pane.info.created_at),
        };
        let variables = match &pane.waiting {
            Some(waiting) => waiting.lost_variables.clone(),
            None => spec.env.into_iter().map(|(name, _)| name).collect(),
        };
        Self {
            id: id.to_string(),
            name: pane.info.named.then(|| pane.info.name.clone()),
            command: spec.command,
            // One that is no text cannot be written down.
            cwd: Some(cwd).filter(|cwd| cwd.to_str().is_some()),
            agent: spec.agent.map(|agent| agent.to_string()),
            persistent: spec.persistent,
            gateway: spec.gateway,
            confine: spec.confine,
            budget_nanodollars: budget.nanodollars,
            budget_tokens: budget.tokens,
            variables,
            since,
        }
    }

    fn restore(&self, id: TerminalId) -> Pane {
        let spec = TerminalSpec {
            confine: self.confine,
            // An agent goes on with its last conversation.
            resume: true,
            budget: Budget {
                nanodollars: self.budget_nanodollars,
                tokens: self.budget_tokens,
            },
            name: self.name.clone(),
            command: self.command.clone(),
            cwd: self.cwd.clone(),
            env: Vec::new(),
            size: Size::DEFAULT,
            persistent: self.persistent,
            agent: self.agent.clone().map(Into::into),
            gateway: self.gateway,
            owner: Owner::Front,
        };
        let waiting = Waiting {
            since: self.since,
            lost_variables: self.variables.clone(),
        };
        Pane::waiting(id, spec, waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(command: &[&str]) -> (TerminalId, Pane) {
        let id = TerminalId::random();
        let spec = TerminalSpec {
            confine: None,
            resume: false,
            budget: Budget::default(),
            name: None,
            command: command.iter().map(ToString::to_string).collect(),
            cwd: Some("/tmp".into()),
            env: vec![("SECRET".to_owned(), "value".to_owned())],
            size: Size::DEFAULT,
            persistent: false,
            agent: None,
            gateway: true,
            owner: Owner::Front,
        };
        let mut pane = Pane::waiting(
            id,
            spec,
            Waiting {
                since: None,
                lost_variables: Vec::new(),
            },
        );
        pane.waiting = None;
        (id, pane)
    }

    fn origin() -> Origin {
        Origin {
            cwd: "/home".into(),
            spec: None,
            budget: Budget {
                nanodollars: None,
                tokens: Some(500),
            },
        }
    }

    fn session() -> Session {
        let (left, right, alone) = (waiting(&["left"]), waiting(&["right"]), waiting(&[]));
        let mut tab = Tab::new(left.0);
        tab.layout.split(left.0, Axis::Horizontal, right.0);
        tab.set_focus(right.0);
        tab.name = Some("work".to_owned());
        tab.zoomed = true;
        Session {
            tabs: vec![Tab::new(alone.0), tab],
            active: 1,
            panes: [left, right, alone].into_iter().collect(),
            ..Session::default()
        }
    }

    #[test]
    fn a_session_that_was_written_down_is_there_again_with_every_pane_waiting() {
        let before = session();
        let saved = SavedSession::of(&before, |_| Some(origin())).unwrap();
        let json = saved.to_json().unwrap();
        let text = String::from_utf8(json.clone()).unwrap();
        assert!(text.contains("SECRET") && !text.contains("value"), "{text}");
        let read = SavedSession::from_json(&json).unwrap();
        assert_eq!(read, saved);
        let after = read.restore().unwrap();
        assert_eq!(after.active, 1);
        let [_, tab] = &after.tabs[..] else {
            panic!("two tabs");
        };
        assert_eq!((tab.name.as_deref(), tab.zoomed), (Some("work"), true));
        let focused = after.focused().unwrap();
        let spec = focused.again();
        assert_eq!(spec.command, ["right"]);
        assert_eq!(spec.cwd.as_deref(), Some(std::path::Path::new("/home")));
        assert_eq!(spec.budget.tokens, Some(500), "as it was changed to");
        let waiting = focused.waiting.as_ref().unwrap();
        assert_eq!(waiting.lost_variables, ["SECRET"]);
        assert!(after.panes.values().all(|pane| !pane.lives()));
        // Saved again before anything is run, it is the same but for the ids.
        let again = SavedSession::of(&after, |_| None).unwrap();
        assert_eq!(again.pane_count(), 3);
        let variables = again.panes.iter().map(|pane| pane.variables.clone());
        assert!(variables.into_iter().all(|names| names == ["SECRET"]));
    }

    #[test]
    fn what_is_none_is_told_and_a_pane_that_ends_is_left_out() {
        let mut session = session();
        let saved = SavedSession::of(&session, |_| None).unwrap();
        let text = String::from_utf8(saved.to_json().unwrap()).unwrap();
        for (from, to) in [
            ("\"version\": 1", "\"version\": 2"),
            ("\"part\": 1", "\"part\": 0"),
            ("\"columns\"", "\"spirals\""),
            ("{", "["),
        ] {
            let broken = text.replacen(from, to, 1);
            assert_ne!(broken, text, "{from}");
            assert!(SavedSession::from_json(broken.as_bytes()).is_err(), "{to}");
        }
        assert!(SavedSession::from_json(b"").is_err());
        let focus = session.focus().unwrap();
        session.panes.get_mut(&focus).unwrap().ending = true;
        let saved = SavedSession::of(&session, |_| None).unwrap();
        assert_eq!(saved.pane_count(), 2);
        saved.restore().unwrap();
        assert_eq!(SavedSession::of(&Session::default(), |_| None), None);
    }
}
