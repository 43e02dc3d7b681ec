//! Random walks through everything that can happen to a router, checked after every step.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// A new request.
    Ask {
        chat: bool,
        tokens: u64,
    },
    /// A request in the waiting line looks again, or gives up.
    Again(Index),
    GiveUp(Index),
    /// A call ends.
    End(Index, End),
    Confirm(Index),
    Advance(u64),
    Command(u8, Index),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Http,
    Timeout,
    RateLimit(u64),
    Spent,
    Refused,
    Dropped,
    NeverSent,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        3 => Just(End::Success),
        3 => Just(End::Http),
        2 => Just(End::Timeout),
        2 => (1..30_u64).prop_map(End::RateLimit),
        1 => Just(End::Spent),
        1 => Just(End::Refused),
        1 => Just(End::Dropped),
        1 => Just(End::NeverSent),
    ];
    let index = any::<Index>;
    let step = prop_oneof![
        8 => (any::<bool>(), 0..400_u64).prop_map(|(chat, tokens)| Step::Ask { chat, tokens }),
        3 => index().prop_map(Step::Again),
        1 => index().prop_map(Step::GiveUp),
        8 => (index(), end).prop_map(|(at, end)| Step::End(at, end)),
        1 => index().prop_map(Step::Confirm),
        4 => (0..9_000_000_000_u64).prop_map(Step::Advance),
        2 => (0..7_u8, index()).prop_map(|(kind, at)| Step::Command(kind, at)),
    ];
    prop::collection::vec(step, 0..80)
}

fn profiles() -> Vec<Profile> {
    let mut tokens = limited("b", 1, 30, 3);
    tokens.limits.tpm = NonZeroU64::new(1_000);
    let mut chat = profile("c", 1);
    chat.dialects = ProviderKind::OpenAi.dialects();
    vec![limited("a", 0, 60, 2), tokens, chat]
}

struct Walk {
    router: Router,
    now: Moment,
    calls: Vec<(Permit, Call, Run)>,
    waiting: Vec<(Call, Run)>,
    /// The last state told of each breaker.
    told: HashMap<ProfileName, (BreakerState, u64)>,
    active: Option<ProfileName>,
}

impl Walk {
    fn ask(&mut self, call: Call, mut run: Run) {
        let plan = self.router.plan(&call, self.now);
        let alone = self.router.status(&Usage::default(), self.now).waiting == 0;
        match self.router.admit(&call, &mut run, self.now) {
            Admission::Go(permit) => {
                // In order: everybody before the chosen one had something against it.
                let free = plan.iter().filter(|(_, skip)| skip.is_none());
                let mut free = free.map(|(profile, _)| profile.name.clone());
                if alone && run.attempts() == 1 {
                    let early = permit.choice == Choice::EarlyProbe;
                    let first = (!early).then(|| permit.profile.name.clone());
                    assert_eq!(free.next(), first, "an early probe is the last resort");
                }
                assert!(
                    permit.dialect == call.dialect
                        || !permit.profile.dialects.contains(call.dialect)
                );
                assert!(!run.waits());
                self.calls.push((permit, call, run));
            }
            Admission::Wait { until } => {
                assert!(until > self.now, "a wait without a wait would spin");
                assert!(run.waits());
                assert!(
                    run.attempts() > 0 || plan.iter().all(|(_, skip)| skip.is_some()) || !alone
                );
                self.waiting.push((call, run));
            }
            Admission::Refused(left) => {
                assert!(!run.waits());
                assert_eq!(left.profiles.len(), plan.len(), "each profile has a reason");
                assert!(left.retry_after_s() >= 1);
                let soonest = left.profiles.iter().filter_map(|one| one.retry_in).min();
                assert_eq!(left.retry_in, soonest);
                self.retry_comes_true(&call, &plan, alone);
            }
        }
    }

    /// Whoever is told a time is not refused for that reason at that time.
    fn retry_comes_true(&self, call: &Call, plan: &[(Arc<Profile>, Option<Skip>)], alone: bool) {
        for (profile, skip) in plan {
            let Some((skip, due)) = skip.and_then(|skip| Some((skip, skip.retry_at()?))) else {
                continue;
            };
            let later = self.router.plan(call, due);
            let then = later
                .iter()
                .find(|(other, _)| other.name == profile.name)
                .and_then(|(_, skip)| *skip);
            let same = then.is_some_and(|then| then.as_str() == skip.as_str());
            assert!(!same || !alone, "{skip:?} still holds at {due:?}: {then:?}");
        }
    }

    fn end(&mut self, at: Index, end: End) {
        if self.calls.is_empty() {
            return;
        }
        let (permit, call, mut run) = self.calls.swap_remove(at.index(self.calls.len()));
        let error = match end {
            End::Http => Some(http()),
            End::Timeout => Some(CallError::Timeout),
            End::RateLimit(seconds) => Some(rate_limited(seconds)),
            End::Spent => Some(rate_limited(60)),
            End::Refused => Some(CallError::Api {
                status: 400,
                message: "no".into(),
            }),
            End::Success | End::Dropped | End::NeverSent => None,
        };
        let settlement = match (&error, end) {
            (Some(error), End::Spent) => {
                Settlement::failed(error, Used::Tokens(0)).with(Cool::Spent(None))
            }
            (Some(error), _) => Settlement::failed(error, Used::Tokens(10)),
            (None, End::Success) => Settlement::success(Used::Tokens(call.tokens / 2)),
            (None, End::NeverSent) => Settlement::ignored(Used::Nothing),
            (None, _) => Settlement::ignored(Used::AsReserved),
        };
        let tried = permit.id;
        self.router.settle(permit, settlement, self.now);
        if let Some(error) = error.filter(CallError::fails_over) {
            run.failed(&error);
            let rate_limited = matches!(error, CallError::RateLimited { .. });
            let before = self.calls.len();
            self.ask(call, run);
            if let Some((permit, _, _)) = self.calls.get(before) {
                assert!(
                    permit.id != tried || rate_limited,
                    "each is asked once, and once more after a 429"
                );
                assert_ne!(permit.choice, Choice::First);
            }
        }
    }

    fn command(&mut self, kind: u8, at: Index) {
        let name = named(["a", "b", "c", "x"][at.index(4)]);
        let command = match kind {
            0 => RouterCommand::Failover {
                from: None,
                hold: Duration::from_secs(20),
            },
            1 => RouterCommand::Failover {
                from: Some(name),
                hold: Duration::from_secs(20),
            },
            2 => RouterCommand::Pin(name),
            3 => RouterCommand::Unpin,
            4 => RouterCommand::Reset(name),
            5 => RouterCommand::Enable(name),
            _ => RouterCommand::Disable(name),
        };
        let held = |router: &Router, now| {
            let held = router.status(&Usage::default(), now).providers.into_iter();
            held.map(|one| one.held).collect::<Vec<_>>()
        };
        let before = held(&self.router, self.now);
        match self.router.command(&command, By::Key, self.now) {
            Err(_) => assert_eq!(held(&self.router, self.now), before, "nothing is held"),
            Ok(done) if done.held_for.is_some() => {
                assert!(done.active.is_some(), "somebody has taken over");
                assert_ne!(done.active, done.profile);
            }
            Ok(_) => {}
        }
    }

    fn check(&mut self) {
        for event in self.router.take_events() {
            match event {
                RouterEvent::Breaker {
                    profile,
                    transition,
                } => {
                    let told = self.told.entry(profile);
                    let told = told.or_insert((BreakerState::Closed, 0));
                    assert_eq!(transition.from, told.0);
                    assert!(transition.generation > told.1);
                    *told = (transition.to, transition.generation);
                }
                RouterEvent::Moved { from, to, .. } => {
                    assert_eq!(from, self.active);
                    assert_ne!(from, to);
                    self.active = to;
                }
                _ => {}
            }
        }
        let status = self.router.status(&Usage::default(), self.now);
        assert_eq!(status.in_flight, self.calls.len() as u64);
        assert_eq!(status.waiting, self.waiting.len());
        let in_flight: u64 = status.providers.iter().map(|one| one.in_flight).sum();
        assert_eq!(in_flight, status.in_flight);
        let probes = |name: &ProfileName| {
            let probes = self
                .calls
                .iter()
                .filter(|(permit, _, _)| permit.is_probe() && permit.profile.name == *name);
            probes.count()
        };
        for provider in &status.providers {
            let name = &provider.profile.name;
            let ready = provider.skip.is_none();
            assert_eq!(ready, provider.reason.is_none(), "{name}");
            // Where nobody else can take a request it goes to whom a probe is under way.
            let is_half_open = provider.state == ProviderState::HalfOpen;
            assert!(!provider.active || ready || is_half_open, "{name}");
            // Leases of 40 s may have run out, so that more than one is about, each in a generation of its own.
            assert!(probes(name) <= 3, "{name}");
        }
        let active: Vec<_> = status.providers.iter().filter(|one| one.active).collect();
        assert!(active.len() <= 1);
        assert_eq!(
            active.first().map(|one| one.profile.name.clone()),
            self.router.active(self.now)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_router_keeps_its_word(steps in steps()) {
        let router = router(profiles());
        let active = router.active(at(0));
        let mut walk = Walk {
            router,
            now: at(0),
            calls: Vec::new(),
            waiting: Vec::new(),
            told: HashMap::new(),
            active,
        };
        for step in steps {
            match step {
                Step::Ask { chat, tokens } => {
                    let dialect = if chat { Dialect::Chat } else { Dialect::Messages };
                    let call = Call { dialect, tokens, ..call() };
                    walk.ask(call, Run::default());
                }
                Step::Again(at) if !walk.waiting.is_empty() => {
                    let (call, run) = walk.waiting.remove(at.index(walk.waiting.len()));
                    walk.ask(call, run);
                }
                Step::GiveUp(at) if !walk.waiting.is_empty() => {
                    let (_, mut run) = walk.waiting.remove(at.index(walk.waiting.len()));
                    walk.router.leave_queue(&mut run);
                }
                Step::End(at, end) => walk.end(at, end),
                Step::Confirm(at) if !walk.calls.is_empty() => {
                    let at = at.index(walk.calls.len());
                    let now = walk.now;
                    walk.router.confirm(&mut walk.calls[at].0, now);
                }
                Step::Again(_) | Step::GiveUp(_) | Step::Confirm(_) => {}
                Step::Advance(nanos) => walk.now = walk.now.after(Duration::from_nanos(nanos)),
                Step::Command(kind, at) => walk.command(kind, at),
            }
            walk.check();
        }
        // Everybody leaves: nothing of them stays.
        for (_, mut run) in std::mem::take(&mut walk.waiting) {
            walk.router.leave_queue(&mut run);
        }
        for (permit, _, _) in std::mem::take(&mut walk.calls) {
            walk.router.settle(permit, Settlement::ignored(Used::Nothing), walk.now);
        }
        walk.check();
        // And in a while every profile that no operator took out can be asked again.
        walk.now = walk.now.after(Duration::from_secs(2 * 3600));
        for provider in walk.router.status(&Usage::default(), walk.now).providers {
            prop_assert!(
                provider.skip.is_none() || provider.skip == Some(Skip::Disabled),
                "{:?}", provider.skip
            );
        }
    }
}
