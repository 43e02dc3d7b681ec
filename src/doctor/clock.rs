//! This machine's clock beside those of the providers that were asked.

use super::profile::Skew;
use super::subject::Scope;
use crate::domain::check::Check;

pub(super) const NAME: &str = "clock";
/// Answers are on their way, and their clocks tell whole seconds.
const FINE: i64 = 30;

pub(super) fn check(skews: &[Skew], scope: Scope) -> Check {
    // One provider's clock may be wrong itself: the one that agrees best is believed.
    let best = skews.iter().min_by_key(|skew| skew.seconds.abs());
    let Some(Skew { profile, seconds }) = best else {
        return Check::skip(
            NAME,
            match scope {
                Scope::Offline => "providers were not asked (--offline)",
                Scope::Everything => "no provider told the time",
            },
        );
    };
    if seconds.abs() <= FINE {
        return Check::ok(NAME, format!("within {FINE} s of {profile}'s"));
    }
    let direction = if *seconds > 0 { "ahead of" } else { "behind" };
    Check::warn(
        NAME,
        format!("{} s {direction} {profile}'s", seconds.abs()),
        "timedatectl set-ntp true: certificates, plans and histories go by the clock",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::CheckStatus;

    #[test]
    fn the_provider_that_agrees_best_is_believed() {
        let skew = |seconds| Skew {
            profile: "p".to_owned(),
            seconds,
        };
        let check = |skews: &[Skew]| check(skews, Scope::Everything);
        assert_eq!(check(&[skew(4000), skew(-2)]).status, CheckStatus::Ok);
        let behind = check(&[skew(-90), skew(400)]);
        assert_eq!(behind.message, "90 s behind p's");
        assert_eq!(behind.status, CheckStatus::Warn);
        assert_eq!(check(&[]).status, CheckStatus::Skip);
    }
}
