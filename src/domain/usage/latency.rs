//! Latencies: fixed bounds for scrapers, exact percentiles of the latest ones for people.

use std::time::Duration;

/// Upper bounds of the buckets in milliseconds, after OpenTelemetry's for generative AI clients.
pub const LATENCY_BOUNDS_MS: [u32; 16] = [
    10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 40_960, 81_920, 163_840,
    327_680,
];

/// How many of the latest are kept for the percentiles.
const LATEST: usize = 256;

#[derive(Clone, Debug)]
pub struct Latency {
    /// How many fell in each bucket, the last one being beyond every bound.
    counts: [u64; LATENCY_BOUNDS_MS.len() + 1],
    sum: Duration,
    /// Microseconds, a ring.
    latest: [u32; LATEST],
    total: usize,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: [0; LATENCY_BOUNDS_MS.len() + 1],
            sum: Duration::ZERO,
            latest: [0; LATEST],
            total: 0,
        }
    }
}

/// Of the latest 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    pub p50: Duration,
    pub p95: Duration,
}

impl Latency {
    /// How many fell in each bucket, and the latest spans in microseconds, the oldest first.
    #[must_use]
    pub fn parts(&self) -> (&[u64], Vec<u32>) {
        let kept = self.total.min(LATEST);
        let first = if self.total > LATEST {
            self.total % LATEST
        } else {
            0
        };
        let ring = self.latest.iter().cycle().skip(first).take(kept);
        (&self.counts, ring.copied().collect())
    }

    /// The spans that another program has measured.
    #[must_use]
    pub fn of_parts(counts: &[u64], sum: Duration, latest: &[u32]) -> Self {
        let mut latency = Self {
            sum,
            ..Self::default()
        };
        for (count, kept) in latency.counts.iter_mut().zip(counts) {
            *count = *kept;
        }
        let counted: u64 = latency.counts.iter().sum();
        latency.total = usize::try_from(counted).unwrap_or(usize::MAX);
        // The oldest stands where the next one goes.
        let first = latency.total.saturating_sub(latest.len());
        for (index, kept) in latest.iter().enumerate() {
            if let Some(place) = latency.latest.get_mut((first + index) % LATEST) {
                *place = *kept;
            }
        }
        latency
    }

    pub fn add(&mut self, span: Duration) {
        let bucket = LATENCY_BOUNDS_MS
            .iter()
            .position(|bound| span <= Duration::from_millis(u64::from(*bound)))
            .unwrap_or(LATENCY_BOUNDS_MS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(span);
        if let Some(place) = self.latest.get_mut(self.total % LATEST) {
            *place = u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        }
        self.total += 1;
    }

    #[must_use]
    pub const fn count(&self) -> usize {
        self.total
    }

    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    /// How many were at most as long as each of [`LATENCY_BOUNDS_MS`].
    pub fn cumulative(&self) -> impl Iterator<Item = (u32, u64)> {
        LATENCY_BOUNDS_MS
            .into_iter()
            .zip(self.counts)
            .scan(0, |below, (bound, count)| {
                *below += count;
                Some((bound, *below))
            })
    }

    /// By the nearest rank; `None` before the first.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut latest = self.latest;
        let latest = latest.get_mut(..self.total.min(LATEST))?;
        latest.sort_unstable();
        let rank = |percent: usize| {
            let rank = (latest.len() * percent).div_ceil(100).checked_sub(1)?;
            let micros = latest.get(rank)?;
            Some(Duration::from_micros(u64::from(*micros)))
        };
        Some(Percentiles {
            p50: rank(50)?,
            p95: rank(95)?,
        })
    }
}
