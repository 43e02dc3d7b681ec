use proptest::prelude::*;

use super::*;

const OPEN_FOR: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Moment {
    Moment::ORIGIN.after(Duration::from_secs(seconds))
}

fn breaker() -> Breaker {
    Breaker::new(BreakerSettings::default())
}

/// Lets one call through and ends it at once.
fn call(breaker: &mut Breaker, outcome: Outcome, now: Moment) -> Option<Transition> {
    let (ticket, _) = breaker.admit(now).expect("the breaker lets it through");
    breaker.settle(ticket, outcome, now, Jitter::default())
}

const HTTP: Outcome = Outcome::Failure(Fault::Http);
const TIMEOUT: Outcome = Outcome::Failure(Fault::Timeout);

fn opened(now: Moment) -> Breaker {
    let mut breaker = breaker();
    for _ in 0..5 {
        call(&mut breaker, HTTP, now);
    }
    assert_eq!(breaker.status(now).state, BreakerState::Open);
    breaker
}

#[test]
fn five_failures_in_a_row_open_it_and_ignored_ones_do_not_break_the_row() {
    let mut breaker = breaker();
    for _ in 0..4 {
        assert_eq!(call(&mut breaker, HTTP, at(1)), None);
        assert_eq!(call(&mut breaker, Outcome::Ignored, at(1)), None);
    }
    let transition = call(&mut breaker, HTTP, at(1)).expect("it opens");
    assert_eq!(
        transition,
        Transition {
            from: BreakerState::Closed,
            to: BreakerState::Open,
            cause: Cause::Failures {
                count: 5,
                last: Fault::Http
            },
            generation: 1,
            at: at(1),
            retry_at: Some(at(31)),
        }
    );
}

#[test]
fn a_success_breaks_the_row() {
    let mut breaker = breaker();
    for _ in 0..20 {
        for outcome in [HTTP, TIMEOUT, TIMEOUT, HTTP, Outcome::Success] {
            assert_eq!(call(&mut breaker, outcome, at(0)), None);
        }
    }
}

#[test]
fn three_timeouts_in_a_row_open_it() {
    let mut breaker = breaker();
    for outcome in [TIMEOUT, TIMEOUT, HTTP, TIMEOUT] {
        assert_eq!(call(&mut breaker, outcome, at(0)), None);
    }
    let transition = call(&mut breaker, TIMEOUT, at(0)).expect("five failures, two timeouts");
    assert_eq!(
        transition.cause,
        Cause::Failures {
            count: 5,
            last: Fault::Timeout
        }
    );
    breaker.reset(at(0));
    call(&mut breaker, TIMEOUT, at(0));
    call(&mut breaker, Outcome::Ignored, at(0));
    call(&mut breaker, TIMEOUT, at(0));
    let transition = call(&mut breaker, TIMEOUT, at(0)).expect("three timeouts");
    assert_eq!(transition.cause, Cause::Timeouts { count: 3 });
}

#[test]
fn it_is_shown_and_becomes_half_open_at_the_very_nanosecond() {
    let mut breaker = opened(at(0));
    let retry_at = at(30);
    let before = Moment::from_nanos(retry_at.nanos() - 1);
    assert_eq!(
        breaker.admit(before).map(|_| ()),
        Err(BreakerRefusal::Open {
            retry_at: Some(retry_at)
        })
    );
    assert_eq!(breaker.status(before).state, BreakerState::Open);
    assert_eq!(breaker.status(before).retry_in, Duration::from_nanos(1));
    assert_eq!(breaker.status(retry_at).state, BreakerState::HalfOpen);
    let (ticket, transition) = breaker.admit(retry_at).expect("the probe goes");
    assert!(ticket.is_probe());
    assert_eq!(transition.expect("told").cause, Cause::RetryDue);
}

#[test]
fn jitter_adds_up_to_a_tenth() {
    for (jitter, expected) in [
        (0, OPEN_FOR),
        (u16::MAX, OPEN_FOR + Duration::from_secs(3)),
        (u16::MAX / 3, OPEN_FOR + Duration::from_secs(1)),
    ] {
        let mut breaker = Breaker::new(BreakerSettings {
            failure_threshold: 1,
            ..BreakerSettings::default()
        });
        let (ticket, _) = breaker.admit(at(0)).expect("closed");
        let transition = breaker.settle(ticket, HTTP, at(0), Jitter(jitter));
        assert_eq!(
            transition.expect("it opens").retry_at,
            Some(Moment::ORIGIN.after(expected))
        );
    }
}

#[test]
fn one_probe_at_a_time_and_a_caller_who_leaves_frees_its_place() {
    let mut breaker = opened(at(0));
    let (probe, _) = breaker.admit(at(30)).expect("the probe goes");
    assert_eq!(
        breaker.admit(at(31)).map(|_| ()),
        Err(BreakerRefusal::Probing { until: at(70) })
    );
    let freed = breaker.settle(probe, Outcome::Ignored, at(32), Jitter::default());
    assert_eq!(freed, None);
    let (probe, transition) = breaker.admit(at(32)).expect("the place is free");
    assert_eq!(transition, None);
    let closed = breaker.settle(probe, Outcome::Success, at(33), Jitter::default());
    assert_eq!(closed.expect("it closes").cause, Cause::ProbeSucceeded);
    assert_eq!(breaker.status(at(33)).failures, 0);
}

#[test]
fn a_failed_probe_opens_it_again() {
    let mut breaker = opened(at(0));
    let transition = call(&mut breaker, TIMEOUT, at(30)).expect("it opens");
    assert_eq!(transition.cause, Cause::ProbeFailed(Fault::Timeout));
    assert_eq!(transition.retry_at, Some(at(60)));
}

#[test]
fn a_lost_probe_cannot_wedge_it_nor_speak_for_the_next_one() {
    let mut breaker = opened(at(0));
    let (lost, _) = breaker.admit(at(30)).expect("the probe goes");
    let (probe, transition) = breaker.admit(at(70)).expect("its lease is over");
    assert_eq!(transition.expect("told").cause, Cause::ProbeLost);
    assert_eq!(breaker.settle(lost, HTTP, at(71), Jitter::default()), None);
    assert_eq!(breaker.status(at(71)).state, BreakerState::HalfOpen);
    let closed = breaker.settle(probe, Outcome::Success, at(72), Jitter::default());
    assert_eq!(closed.expect("it closes").to, BreakerState::Closed);
}

#[test]
fn late_failures_do_not_prolong_an_open_breaker() {
    let mut breaker = breaker();
    let late: Vec<_> = (0..9)
        .map(|_| breaker.admit(at(0)).expect("closed").0)
        .collect();
    for _ in 0..5 {
        call(&mut breaker, HTTP, at(0));
    }
    let before = breaker.status(at(20));
    for ticket in late {
        assert_eq!(
            breaker.settle(ticket, HTTP, at(20), Jitter::default()),
            None
        );
    }
    assert_eq!(breaker.status(at(20)), before);
}

#[test]
fn a_confirmed_probe_closes_it_and_then_counts_as_an_ordinary_call() {
    let mut breaker = opened(at(0));
    let (mut probe, _) = breaker.admit(at(30)).expect("the probe goes");
    let closed = breaker.confirm(&mut probe, at(31)).expect("it closes");
    assert_eq!(closed.cause, Cause::ProbeSucceeded);
    assert_eq!(breaker.confirm(&mut probe, at(31)), None);
    assert_eq!(breaker.settle(probe, HTTP, at(32), Jitter::default()), None);
    assert_eq!(breaker.status(at(32)).failures, 1);
}

#[test]
fn as_many_probes_must_succeed_as_were_asked_for() {
    let mut breaker = Breaker::new(BreakerSettings {
        success_threshold: 3,
        failure_threshold: 1,
        half_open_requests: 2,
        ..BreakerSettings::default()
    });
    call(&mut breaker, HTTP, at(0));
    let (first, _) = breaker.admit(at(30)).expect("a probe");
    let (second, _) = breaker.admit(at(30)).expect("another");
    assert!(breaker.admit(at(30)).is_err());
    for probe in [first, second] {
        let none = breaker.settle(probe, Outcome::Success, at(31), Jitter::default());
        assert_eq!(none, None);
    }
    let closed = call(&mut breaker, Outcome::Success, at(32)).expect("the third");
    assert_eq!(closed.to, BreakerState::Closed);
}

#[test]
fn an_operator_holds_it_until_it_is_reset() {
    let mut breaker = breaker();
    breaker.force(Forced::Open, at(0)).expect("told");
    assert_eq!(
        breaker.check(at(9_999)),
        Err(BreakerRefusal::Open { retry_at: None })
    );
    breaker.force(Forced::Closed, at(1)).expect("told");
    for _ in 0..50 {
        assert_eq!(call(&mut breaker, HTTP, at(1)), None);
    }
    assert_eq!(breaker.status(at(1)).forced, Some(Forced::Closed));
    breaker.reset(at(2)).expect("told");
    assert_eq!(breaker.reset(at(2)), None);
    assert_eq!(breaker.status(at(2)).forced, None);
}

#[derive(Clone, Debug)]
enum Step {
    Admit,
    Settle(prop::sample::Index, Outcome),
    Confirm(prop::sample::Index),
    Advance(u64),
    /// To this many nanoseconds around the moment at which something is due.
    AdvanceToDue(i64),
    Reset,
    Force(Forced),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        Just(Outcome::Success),
        Just(Outcome::Ignored),
        Just(HTTP),
        Just(TIMEOUT),
        Just(Outcome::Failure(Fault::Parse)),
    ];
    let step = prop_oneof![
        8 => Just(Step::Admit),
        8 => (any::<prop::sample::Index>(), outcome).prop_map(|(at, with)| Step::Settle(at, with)),
        2 => any::<prop::sample::Index>().prop_map(Step::Confirm),
        2 => (0..20_000_000_000_u64).prop_map(Step::Advance),
        3 => (-1..=1_i64).prop_map(Step::AdvanceToDue),
        1 => Just(Step::Reset),
        1 => prop_oneof![Just(Forced::Open), Just(Forced::Closed)].prop_map(Step::Force),
    ];
    prop::collection::vec(step, 0..120)
}

/// What the breaker must be, told by replaying its own history in the plainest way.
#[derive(Debug)]
struct Model {
    settings: BreakerSettings,
    state: BreakerState,
    forced: bool,
    retry_at: Moment,
    lease_ends: Moment,
    generation: u64,
    successes: u32,
    /// The counted outcomes of the present closed generation, or what opened it.
    row: Vec<Fault>,
    /// Every call ever made: its generation, whether it is a probe now, and whether it is under way.
    calls: Vec<(u64, bool, bool)>,
}

impl Model {
    fn live_probes(&self) -> u32 {
        let live = |call: &&(u64, bool, bool)| call.0 == self.generation && call.1 && call.2;
        u32::try_from(self.calls.iter().filter(live).count()).expect("few calls")
    }

    fn timeouts(&self) -> u32 {
        let row = self.row.iter().rev();
        u32::try_from(row.take_while(|fault| **fault == Fault::Timeout).count()).expect("few")
    }

    fn enter(&mut self, state: BreakerState) {
        self.state = state;
        self.generation += 1;
        self.successes = 0;
    }

    fn open(&mut self, now: Moment) {
        self.enter(BreakerState::Open);
        self.retry_at = now.after(self.settings.open_for);
    }

    fn close(&mut self) {
        self.enter(BreakerState::Closed);
        self.row.clear();
    }

    fn admit(&mut self, now: Moment) -> bool {
        let probe = match self.state {
            _ if self.forced && self.state == BreakerState::Open => return false,
            BreakerState::Closed => false,
            BreakerState::Open if now < self.retry_at => return false,
            BreakerState::Open => {
                self.enter(BreakerState::HalfOpen);
                true
            }
            BreakerState::HalfOpen if self.live_probes() < self.settings.half_open_requests => true,
            BreakerState::HalfOpen if now < self.lease_ends => return false,
            BreakerState::HalfOpen => {
                let successes = self.successes;
                self.enter(BreakerState::HalfOpen);
                self.successes = successes;
                true
            }
        };
        if probe {
            self.lease_ends = now.after(self.settings.probe_lease);
        }
        self.calls.push((self.generation, probe, true));
        true
    }

    fn succeed_probe(&mut self) {
        self.successes += 1;
        if self.successes >= self.settings.success_threshold {
            self.close();
        }
    }

    fn settle(&mut self, call: usize, outcome: Outcome, now: Moment) {
        let (generation, probe, _) = self.calls[call];
        self.calls[call].2 = false;
        if generation != self.generation || self.forced {
            return;
        }
        match (self.state, outcome) {
            (BreakerState::Closed, Outcome::Success) => self.row.clear(),
            (BreakerState::Closed, Outcome::Failure(fault)) => {
                self.row.push(fault);
                let failures = u32::try_from(self.row.len()).expect("few");
                if failures >= self.settings.failure_threshold
                    || self.timeouts() >= self.settings.timeout_threshold
                {
                    self.open(now);
                }
            }
            (BreakerState::HalfOpen, Outcome::Failure(fault)) => {
                self.row.push(fault);
                self.open(now);
            }
            (BreakerState::HalfOpen, Outcome::Success) if probe => self.succeed_probe(),
            _ => {}
        }
    }

    fn confirm(&mut self, call: usize) {
        let (generation, probe, _) = self.calls[call];
        if probe && generation == self.generation && self.state == BreakerState::HalfOpen {
            self.calls[call].1 = false;
            self.succeed_probe();
            self.calls[call].0 = self.generation;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_does_what_the_plain_model_does(
        steps in steps(),
        failure_threshold in 1..4_u32,
        timeout_threshold in 1..4_u32,
        success_threshold in 1..3_u32,
        half_open_requests in 1..3_u32,
    ) {
        let settings = BreakerSettings {
            failure_threshold,
            timeout_threshold,
            success_threshold,
            half_open_requests,
            ..BreakerSettings::default()
        };
        let mut breaker = Breaker::new(settings);
        let mut model = Model {
            settings,
            state: BreakerState::Closed,
            forced: false,
            retry_at: Moment::ORIGIN,
            lease_ends: Moment::ORIGIN,
            generation: 0,
            successes: 0,
            row: Vec::new(),
            calls: Vec::new(),
        };
        let mut tickets: Vec<(usize, BreakerTicket)> = Vec::new();
        let mut now = at(1);
        let mut told = (BreakerState::Closed, 0);
        for step in steps {
            let transition = match step {
                Step::Admit => {
                    let state = breaker.status(now).state;
                    let answer = breaker.admit(now);
                    prop_assert_eq!(answer.is_ok(), model.admit(now));
                    prop_assert!(answer.is_err() || state != BreakerState::Open);
                    answer.ok().and_then(|(ticket, transition)| {
                        tickets.push((model.calls.len() - 1, ticket));
                        transition
                    })
                }
                Step::Settle(at, outcome) if !tickets.is_empty() => {
                    let (call, ticket) = tickets.swap_remove(at.index(tickets.len()));
                    let stale = ticket.generation != breaker.generation;
                    let before = breaker.status(now);
                    model.settle(call, outcome, now);
                    let transition = breaker.settle(ticket, outcome, now, Jitter::default());
                    if stale || outcome == Outcome::Ignored {
                        prop_assert_eq!(breaker.status(now), before);
                        prop_assert_eq!(transition, None);
                    }
                    transition
                }
                Step::Confirm(at) if !tickets.is_empty() => {
                    let at = at.index(tickets.len());
                    let (call, ticket) = &mut tickets[at];
                    model.confirm(*call);
                    breaker.confirm(ticket, now)
                }
                Step::Settle(..) | Step::Confirm(_) => None,
                Step::Advance(nanos) => {
                    now = now.after(Duration::from_nanos(nanos));
                    None
                }
                Step::AdvanceToDue(around) => {
                    let due = match model.state {
                        BreakerState::HalfOpen => model.lease_ends,
                        _ => model.retry_at,
                    };
                    let due = Moment::from_nanos(due.nanos().saturating_add_signed(around));
                    now = now.max(due);
                    None
                }
                Step::Reset => {
                    model.close();
                    model.forced = false;
                    breaker.reset(now)
                }
                Step::Force(forced) => {
                    let state = match forced {
                        Forced::Closed => BreakerState::Closed,
                        Forced::Open => BreakerState::Open,
                    };
                    if !model.forced || model.state != state {
                        model.enter(state);
                        model.forced = true;
                    }
                    breaker.force(forced, now)
                }
            };
            if let Some(transition) = transition {
                prop_assert_eq!(transition.from, told.0);
                prop_assert!(transition.generation > told.1);
                told = (transition.to, transition.generation);
            }
            let status = breaker.status(now);
            let due = model.state == BreakerState::Open && !model.forced && now >= model.retry_at;
            let shown = if due { BreakerState::HalfOpen } else { model.state };
            prop_assert_eq!(status.state, shown);
            prop_assert_eq!(told.0, model.state);
            prop_assert_eq!(status.generation, model.generation);
            if !model.forced {
                prop_assert_eq!(status.failures as usize, model.row.len());
                prop_assert_eq!(status.timeouts, model.timeouts());
            }
            prop_assert!(model.live_probes() <= half_open_requests);
        }
        // Whatever has happened: once every call has ended, time alone brings a probe back.
        for (_, ticket) in tickets {
            breaker.settle(ticket, Outcome::Ignored, now, Jitter::default());
        }
        if breaker.status(now).forced.is_none() {
            prop_assert_eq!(breaker.check(now.after(OPEN_FOR)), Ok(()));
        }
    }
}

#[test]
fn other_thresholds_count_from_the_next_outcome_on() {
    let mut breaker = breaker();
    for _ in 0..3 {
        assert_eq!(call(&mut breaker, HTTP, at(1)), None);
    }
    breaker.reconfigure(BreakerSettings {
        failure_threshold: 2,
        open_for: Duration::from_secs(7),
        ..BreakerSettings::default()
    });
    assert_eq!(breaker.status(at(1)).state, BreakerState::Closed);
    let transition = call(&mut breaker, HTTP, at(2)).expect("it opens");
    assert_eq!(transition.retry_at, Some(at(9)));
}

#[test]
fn a_call_through_a_closed_breaker_is_no_probe_and_states_have_their_names() {
    let mut breaker = breaker();
    let (ticket, _) = breaker.admit(at(1)).expect("closed");
    assert!(!ticket.is_probe());
    breaker.settle(ticket, Outcome::Success, at(1), Jitter::default());
    let mut breaker = opened(at(1));
    let (probe, _) = breaker.admit(at(40)).expect("half open");
    assert!(probe.is_probe());
    breaker.settle(probe, Outcome::Success, at(40), Jitter::default());
    let states = [
        BreakerState::Closed,
        BreakerState::Open,
        BreakerState::HalfOpen,
    ];
    assert_eq!(
        states.map(BreakerState::as_str),
        ["closed", "open", "half_open"]
    );
}
