//! What a provider may be asked again, beyond each request's one attempt.

/// The budget's size in tenths of a retry: ten retries.
const FULL: u8 = 100;
/// A retry costs one, a success earns a tenth.
const RETRY: u8 = 10;
const SUCCESS: u8 = 1;

/// Bounds retries to ten and a tenth of the successes, so that a failing provider is not hammered.
///
/// It pays for the reconnection of a kept-alive connection that turned out closed. Going to another provider is no
/// retry. After gRPC's proposal A6, with all of the budget usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    tenths: u8,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { tenths: FULL }
    }
}

impl RetryBudget {
    /// What is left, in tenths of a retry.
    #[must_use]
    pub const fn tenths(&self) -> u8 {
        self.tenths
    }

    /// The budget of which so many tenths are left.
    #[must_use]
    pub const fn of_tenths(tenths: u8) -> Self {
        Self {
            tenths: if tenths < FULL { tenths } else { FULL },
        }
    }

    /// Takes one retry, if there is one left.
    #[must_use]
    pub const fn take(&mut self) -> bool {
        match self.tenths.checked_sub(RETRY) {
            Some(rest) => {
                self.tenths = rest;
                true
            }
            None => false,
        }
    }

    /// A success pays for a part of a later reconnection.
    pub const fn earn(&mut self) {
        if self.tenths < FULL {
            self.tenths += SUCCESS;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn retries_stay_within_ten_and_a_tenth_of_the_successes(
            steps in prop::collection::vec(any::<bool>(), 0..400)
        ) {
            let mut budget = RetryBudget::default();
            let (mut retries, mut successes) = (0, 0);
            for retry in steps {
                if retry {
                    retries += usize::from(budget.take());
                } else {
                    budget.earn();
                    successes += 1;
                }
                prop_assert!(retries * 10 <= 100 + successes);
            }
        }
    }

    #[test]
    fn ten_successes_pay_for_a_retry() {
        let mut budget = RetryBudget::default();
        assert!((0..10).all(|_| budget.take()));
        (0..9).for_each(|_| budget.earn());
        assert!(!budget.take());
        budget.earn();
        assert!(budget.take());
        // Good times are not saved up.
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..50).filter(|_| budget.take()).count(), 10);
    }
}
