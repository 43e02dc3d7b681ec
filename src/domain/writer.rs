//! Who types into a terminal and decides its size: one writer at a time, any number of viewers.

use std::fmt;
use std::time::{Duration, Instant};

use super::size::Size;

/// Names one viewer of one terminal; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewerId(u64);

/// Who types into a terminal and decides its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// The front end that shows the terminal.
    Front,
    Viewer(ViewerId),
}

impl fmt::Display for ViewerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "viewer {}", self.0)
    }
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Front => f.write_str("the front end"),
            Self::Viewer(id) => id.fmt(f),
        }
    }
}

/// Whether a viewer may ever write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    ReadOnly,
    Full,
}

/// What became of something a viewer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Accepted,
    /// Another one writes, or the viewer may only read.
    NotWriter,
}

/// The right to write to one terminal.
///
/// A viewer that holds it is the writer; where none does, a front end that shows the terminal is. Every change of size
/// that follows from a change of the writer is returned for the caller to carry out.
#[derive(Clone, Debug)]
pub struct WriterLock {
    last_id: u64,
    viewers: u32,
    holder: Option<ViewerId>,
    /// The holder was cut off; its place is kept for it until then.
    kept_until: Option<Instant>,
    /// The terminal is the front end's own, shown or not.
    is_front_owned: bool,
    /// The size in which the front end shows the terminal; None while it does not.
    front_size: Option<Size>,
    /// The front end has left the terminal that it was shown on.
    is_front_away: bool,
}

/// A lock as it goes over to another program: who writes and in what size it is shown, but not who is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptWriter {
    /// The number of the viewer that attached last.
    pub last_id: u64,
    /// That of the viewer that writes.
    pub holder: Option<u64>,
    /// For how long its place is kept, where it was cut off.
    pub kept_for: Option<Duration>,
    pub front_size: Option<Size>,
}

impl ViewerId {
    /// Its number among the viewers of its terminal.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The viewer of a number that another program gave.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

impl WriterLock {
    /// What goes over to another program.
    #[must_use]
    pub fn keep(&self, now: Instant) -> KeptWriter {
        KeptWriter {
            last_id: self.last_id,
            holder: self.holder.map(ViewerId::number),
            kept_for: self
                .kept_until
                .map(|until| until.saturating_duration_since(now)),
            front_size: self.front_size,
        }
    }

    /// The lock that was kept. Nobody is attached until [`WriterLock::rejoin`] says so.
    #[must_use]
    pub fn resume(kept: &KeptWriter, is_front_owned: bool, now: Instant) -> Self {
        Self {
            last_id: kept.last_id,
            holder: kept.holder.map(ViewerId),
            kept_until: kept.kept_for.and_then(|time| now.checked_add(time)),
            front_size: kept.front_size,
            ..Self::new(is_front_owned)
        }
    }

    /// A viewer that was attached before goes on as the one it was.
    pub fn rejoin(&mut self, id: ViewerId) {
        self.last_id = self.last_id.max(id.0);
        self.viewers += 1;
        if self.holder == Some(id) {
            self.kept_until = None;
        }
    }

    /// One that nobody is attached to; the front end writes where the terminal is its own.
    #[must_use]
    pub fn new(is_front_owned: bool) -> Self {
        Self {
            last_id: 0,
            viewers: 0,
            holder: None,
            kept_until: None,
            is_front_owned,
            front_size: None,
            is_front_away: false,
        }
    }

    /// Who writes now. A viewer that was cut off counts until its place is lost or taken.
    #[must_use]
    pub fn writer(&self) -> Option<Writer> {
        match self.holder {
            Some(viewer) => Some(Writer::Viewer(viewer)),
            None => self.is_front().then_some(Writer::Front),
        }
    }

    /// The viewer that writes, even where a front end shows the terminal.
    #[must_use]
    pub fn holder(&self) -> Option<ViewerId> {
        self.holder
    }

    /// How many are attached.
    #[must_use]
    pub fn viewers(&self) -> u32 {
        self.viewers
    }

    /// How many have ever attached.
    #[must_use]
    pub fn attach_count(&self) -> u64 {
        self.last_id
    }

    /// Lets a viewer in. The first one of full access writes, unless the front end does or the place is kept.
    pub fn attach(&mut self, access: Access, now: Instant) -> ViewerId {
        self.last_id += 1;
        self.viewers += 1;
        let id = ViewerId(self.last_id);
        let _ = self.claim(id, access, now);
        id
    }

    /// Lets a viewer out. Where it wrote, its place is kept for whoever succeeds it until `kept_until`, or free at once.
    /// Returns the size that the front end has again.
    pub fn detach(&mut self, id: ViewerId, kept_until: Option<Instant>) -> Option<Size> {
        self.viewers = self.viewers.saturating_sub(1);
        if self.holder != Some(id) {
            return None;
        }
        if kept_until.is_some() {
            self.kept_until = kept_until;
            return None;
        }
        self.release()
    }

    /// Gives up a place that is kept for a viewer, once its time is over. Returns the size that the front end has again.
    pub fn expire(&mut self, now: Instant) -> Option<Size> {
        self.kept_until.filter(|until| *until <= now)?;
        self.release()
    }

    /// Takes the place of the writer where it is free, and tells whether `id` writes.
    pub fn claim(&mut self, id: ViewerId, access: Access, now: Instant) -> Admission {
        if access == Access::ReadOnly {
            return Admission::NotWriter;
        }
        self.expire(now);
        if self.holder.is_none() && !self.is_front() {
            self.hold(id);
        }
        if self.holder == Some(id) {
            Admission::Accepted
        } else {
            Admission::NotWriter
        }
    }

    /// Becomes the writer, whoever was before.
    pub fn take(&mut self, id: ViewerId, access: Access) -> Admission {
        if access == Access::ReadOnly {
            return Admission::NotWriter;
        }
        self.hold(id);
        Admission::Accepted
    }

    /// `id` is the same viewer as `former`, whose connection is given up or was cut: what that one held is its own.
    pub fn succeed(&mut self, id: ViewerId, access: Access, former: ViewerId) {
        if access == Access::Full && self.holder == Some(former) {
            self.hold(id);
        }
    }

    /// The front end's user typed: the terminal is the front end's again. Returns the size to set.
    pub fn take_back(&mut self) -> Option<Size> {
        self.holder?;
        self.release()
    }

    /// The front end shows the terminal in this size. Returns it where it is in force, which it is not while a viewer
    /// writes.
    pub fn set_front_size(&mut self, size: Size) -> Option<Size> {
        self.front_size = Some(size);
        self.is_front_away = false;
        self.holder.is_none().then_some(size)
    }

    /// The front end does not show the terminal any more: whoever wants to may write.
    pub fn leave_front(&mut self) {
        self.front_size = None;
        self.is_front_away = true;
    }

    /// Notes whether the terminal is the front end's own, shown or not.
    pub fn set_front_owned(&mut self, is_front_owned: bool) {
        self.is_front_owned = is_front_owned;
    }

    /// Whether the terminal is the front end's where no viewer has taken it over.
    fn is_front(&self) -> bool {
        let is_own = self.is_front_owned && !self.is_front_away;
        is_own || self.front_size.is_some()
    }

    fn hold(&mut self, id: ViewerId) {
        self.holder = Some(id);
        self.kept_until = None;
    }

    fn release(&mut self) -> Option<Size> {
        self.holder = None;
        self.kept_until = None;
        self.front_size
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    fn size(cols: u16) -> Size {
        Size::clamped(cols, 24)
    }

    #[test]
    fn the_first_viewer_of_full_access_writes_and_others_watch() {
        let now = Instant::now();
        let mut lock = WriterLock::new(false);
        let reader = lock.attach(Access::ReadOnly, now);
        assert_eq!(lock.writer(), None);
        let first = lock.attach(Access::Full, now);
        let second = lock.attach(Access::Full, now);
        assert_eq!(lock.writer(), Some(Writer::Viewer(first)));
        assert_eq!(lock.claim(second, Access::Full, now), Admission::NotWriter);
        assert_eq!(lock.take(reader, Access::ReadOnly), Admission::NotWriter);
        assert_eq!(lock.take(second, Access::Full), Admission::Accepted);
        assert_eq!(lock.claim(first, Access::Full, now), Admission::NotWriter);
        assert_eq!((lock.viewers(), lock.attach_count()), (3, 3));
    }

    #[test]
    fn writers_are_told_apart_in_words() {
        let mut lock = WriterLock::new(false);
        let first = lock.attach(Access::Full, Instant::now());
        let writers = [Writer::Front, Writer::Viewer(first)];
        let words = writers.map(|writer| writer.to_string());
        assert_eq!(words, ["the front end", "viewer 1"]);
    }

    #[test]
    fn a_terminal_that_becomes_the_front_ends_is_written_by_it_where_no_viewer_is() {
        let mut lock = WriterLock::new(false);
        assert_eq!(lock.writer(), None);
        lock.set_front_owned(true);
        assert_eq!(lock.writer(), Some(Writer::Front));
        lock.set_front_owned(false);
        assert_eq!(lock.writer(), None);
    }

    #[test]
    fn whoever_types_next_takes_the_place_of_a_writer_that_left() {
        let now = Instant::now();
        let mut lock = WriterLock::new(false);
        let first = lock.attach(Access::Full, now);
        let second = lock.attach(Access::Full, now);
        assert_eq!(lock.detach(first, None), None);
        assert_eq!(lock.writer(), None);
        assert_eq!(lock.claim(second, Access::Full, now), Admission::Accepted);
    }

    #[test]
    fn a_writer_that_was_cut_off_keeps_its_place_for_the_grace() {
        let now = Instant::now();
        let mut lock = WriterLock::new(false);
        let first = lock.attach(Access::Full, now);
        let second = lock.attach(Access::Full, now);
        lock.detach(first, Some(now + GRACE));
        assert_eq!(lock.claim(second, Access::Full, now), Admission::NotWriter);
        let back = lock.attach(Access::Full, now);
        lock.succeed(back, Access::Full, first);
        assert_eq!(lock.writer(), Some(Writer::Viewer(back)));
        lock.detach(back, Some(now + GRACE));
        let late = lock.claim(second, Access::Full, now + GRACE);
        assert_eq!(late, Admission::Accepted);
    }

    #[test]
    fn a_place_that_is_kept_may_be_taken_over() {
        let now = Instant::now();
        let mut lock = WriterLock::new(false);
        let first = lock.attach(Access::Full, now);
        let second = lock.attach(Access::Full, now);
        lock.detach(first, Some(now + GRACE));
        assert_eq!(lock.take(second, Access::Full), Admission::Accepted);
        let back = lock.attach(Access::Full, now);
        lock.succeed(back, Access::Full, first);
        assert_eq!(lock.writer(), Some(Writer::Viewer(second)));
    }

    #[test]
    fn the_front_ends_next_key_takes_the_terminal_back_with_its_size() {
        let now = Instant::now();
        let mut lock = WriterLock::new(true);
        assert_eq!(lock.set_front_size(size(100)), Some(size(100)));
        let viewer = lock.attach(Access::Full, now);
        assert_eq!(lock.writer(), Some(Writer::Front));
        lock.take(viewer, Access::Full);
        assert_eq!(lock.set_front_size(size(90)), None);
        assert_eq!(lock.take_back(), Some(size(90)));
        assert_eq!(lock.writer(), Some(Writer::Front));
        assert_eq!(lock.take_back(), None);
    }

    #[test]
    fn the_front_ends_size_comes_back_when_the_place_is_lost() {
        let now = Instant::now();
        let mut lock = WriterLock::new(true);
        lock.set_front_size(size(100));
        let viewer = lock.attach(Access::Full, now);
        lock.take(viewer, Access::Full);
        assert_eq!(lock.detach(viewer, Some(now + GRACE)), None);
        assert_eq!(lock.expire(now), None);
        assert_eq!(lock.expire(now + GRACE), Some(size(100)));
        assert_eq!(lock.writer(), Some(Writer::Front));
    }

    #[test]
    fn a_viewer_may_write_while_no_front_end_shows_the_terminal() {
        let now = Instant::now();
        let mut lock = WriterLock::new(true);
        lock.set_front_size(size(100));
        let viewer = lock.attach(Access::Full, now);
        assert_eq!(lock.claim(viewer, Access::Full, now), Admission::NotWriter);
        lock.leave_front();
        assert_eq!(lock.writer(), None);
        assert_eq!(lock.claim(viewer, Access::Full, now), Admission::Accepted);
        // Who shows it again gets it back with the next key.
        assert_eq!(lock.set_front_size(size(90)), None);
        assert_eq!(lock.take_back(), Some(size(90)));
        assert_eq!(lock.writer(), Some(Writer::Front));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Attach(Access),
        Detach(usize, bool),
        Claim(usize),
        Take(usize),
        Succeed(usize, usize),
        FrontKey,
        FrontSize(u16),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            prop_oneof![Just(Access::Full), Just(Access::ReadOnly)].prop_map(Step::Attach),
            (0..8usize, any::<bool>()).prop_map(|(who, kept)| Step::Detach(who, kept)),
            (0..8usize).prop_map(Step::Claim),
            (0..8usize).prop_map(Step::Take),
            (0..8usize, 0..8usize).prop_map(|(who, former)| Step::Succeed(who, former)),
            Just(Step::FrontKey),
            (2..200u16).prop_map(Step::FrontSize),
            (0..15u64).prop_map(Step::Wait),
        ]
    }

    proptest! {
        #[test]
        fn one_writer_of_full_access_at_a_time_and_the_front_end_never_starves(
            front in any::<bool>(),
            steps in prop::collection::vec(step(), 0..60),
        ) {
            let mut now = Instant::now();
            let mut lock = WriterLock::new(front);
            // Each viewer that ever was: id, access, attached.
            let mut known: Vec<(ViewerId, Access, bool)> = Vec::new();
            let mut front_size = None;
            for step in steps {
                let before = lock.writer();
                match step {
                    Step::Attach(access) => known.push((lock.attach(access, now), access, true)),
                    Step::Detach(who, kept) => {
                        if let Some((id, _, attached @ true)) = known.get_mut(who) {
                            *attached = false;
                            let until = kept.then_some(now + GRACE);
                            let wrote = before == Some(Writer::Viewer(*id));
                            let size = lock.detach(*id, until);
                            prop_assert_eq!(size, front_size.filter(|_| wrote && !kept));
                            prop_assert_eq!(lock.writer() == before, !wrote || kept);
                        }
                    }
                    Step::Claim(who) => {
                        if let Some((id, access, true)) = known.get(who).copied() {
                            let admission = lock.claim(id, access, now);
                            let writes = lock.writer() == Some(Writer::Viewer(id));
                            prop_assert_eq!(admission == Admission::Accepted, writes);
                        }
                    }
                    Step::Take(who) => {
                        if let Some((id, access, true)) = known.get(who).copied() {
                            let admission = lock.take(id, access);
                            prop_assert_eq!(admission == Admission::Accepted, access == Access::Full);
                        }
                    }
                    Step::Succeed(who, former) => {
                        let pair = known.get(who).copied().zip(known.get(former).copied());
                        if let Some(((id, access, true), (former, ..))) = pair {
                            lock.succeed(id, access, former);
                            let moved = before == Some(Writer::Viewer(former)) && access == Access::Full;
                            prop_assert_eq!(lock.writer() == Some(Writer::Viewer(id)),
                                moved || before == Some(Writer::Viewer(id)));
                        }
                    }
                    Step::FrontKey => {
                        lock.take_back();
                        let is_front = front || front_size.is_some();
                        prop_assert_eq!(lock.writer(), is_front.then_some(Writer::Front));
                    }
                    Step::FrontSize(cols) => {
                        front_size = Some(size(cols));
                        let applied = lock.set_front_size(size(cols));
                        prop_assert_eq!(applied.is_some(), lock.holder().is_none());
                    }
                    Step::Wait(seconds) => now += Duration::from_secs(seconds),
                }
                if let Some(holder) = lock.holder() {
                    let access = known.iter().find(|(id, ..)| *id == holder).map(|(_, access, _)| *access);
                    prop_assert_eq!(access, Some(Access::Full));
                }
                let attached = known.iter().filter(|(.., attached)| *attached).count();
                prop_assert_eq!(lock.viewers() as usize, attached);
                // A place that nobody attached holds is free after the grace at the latest.
                let mut later = lock.clone();
                later.expire(now + GRACE);
                if let Some(holder) = later.holder() {
                    prop_assert!(known.iter().any(|(id, _, attached)| *id == holder && *attached));
                }
            }
        }
    }
}
