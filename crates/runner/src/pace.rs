//! When the next call may start: the study's rates a minute, the server's wishes, and what it says is left.

use std::time::{Duration, Instant};

use turncoat_subject::{Allowance, RateHints};

/// The longest that a mere hint holds calls back; if the server means longer, it refuses the next call and says so.
const LONGEST_HINT: Duration = Duration::from_secs(60);

/// A bucket that fills by a rate a minute. It holds a second's worth, so that no minute sees more than the rate.
#[derive(Debug, Clone)]
struct Bucket {
    /// Units a second.
    rate: f64,
    capacity: f64,
    /// May be below zero: a debt.
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    /// A rate a minute as a second's worth that is there at once and sixty that flow in: sixty-one parts in a minute. A rate
    /// below that lets one unit through at once and the next when it is due.
    fn new(per_minute: u32, now: Instant) -> Bucket {
        let per_minute = f64::from(per_minute.max(1));
        let (rate, capacity) = if per_minute < 61.0 { (per_minute / 60.0, 1.0) } else { (per_minute / 61.0, per_minute / 61.0) };
        Bucket { rate, capacity, level: capacity, filled_at: now }
    }

    fn fill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.level = (self.level + elapsed * self.rate).min(self.capacity);
        self.filled_at = now;
    }

    /// How long until `units` may be taken; more than the bucket holds may be taken from a full one.
    fn wait(&mut self, units: f64, now: Instant) -> Duration {
        self.fill(now);
        let missing = units.min(self.capacity) - self.level;
        // Rounding of floats must not make a wait that never ends.
        if missing <= 1e-9 { Duration::ZERO } else { Duration::from_secs_f64(missing / self.rate) + Duration::from_micros(1) }
    }

    fn take(&mut self, units: f64, now: Instant) {
        self.fill(now);
        self.level -= units;
    }

    /// Gives back what was taken too much (or takes what was taken too little).
    fn give_back(&mut self, units: f64) {
        self.level = (self.level + units).min(self.capacity);
    }
}

/// The pace of one subject.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// No call before this: the server asked for it.
    not_before: Option<Instant>,
    /// Least time between two starts, and until when that holds.
    gap: Option<(Duration, Instant)>,
    last_start: Option<Instant>,
    /// Tokens of a call, averaged over the last answers.
    mean_tokens: f64,
}

impl Pace {
    pub(crate) fn new(requests_per_minute: Option<u32>, tokens_per_minute: Option<u32>, now: Instant) -> Pace {
        Pace {
            requests: requests_per_minute.map(|rate| Bucket::new(rate, now)),
            tokens: tokens_per_minute.map(|rate| Bucket::new(rate, now)),
            not_before: None,
            gap: None,
            last_start: None,
            mean_tokens: 0.0,
        }
    }

    /// How long until a call of so many tokens may start.
    pub(crate) fn wait(&mut self, tokens: u64, now: Instant) -> Duration {
        let asked = self.not_before.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let spaced = match (self.gap, self.last_start) {
            (Some((gap, until)), Some(last)) if now < until => (last + gap).saturating_duration_since(now),
            _ => Duration::ZERO,
        };
        let requests = self.requests.as_mut().map_or(Duration::ZERO, |bucket| bucket.wait(1.0, now));
        let tokens = self.tokens.as_mut().map_or(Duration::ZERO, |bucket| bucket.wait(tokens as f64, now));
        asked.max(spaced).max(requests).max(tokens)
    }

    /// A call of at most so many tokens starts.
    pub(crate) fn start(&mut self, tokens: u64, now: Instant) {
        self.last_start = Some(now);
        if let Some(bucket) = &mut self.requests {
            bucket.take(1.0, now);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.take(tokens as f64, now);
        }
    }

    /// A call that was counted with `bound` tokens used `used`, as far as anybody knows.
    pub(crate) fn settle(&mut self, bound: u64, used: Option<u64>) {
        let Some(used) = used else { return };
        self.mean_tokens = if self.mean_tokens == 0.0 { used as f64 } else { 0.9 * self.mean_tokens + 0.1 * used as f64 };
        if let Some(bucket) = &mut self.tokens {
            bucket.give_back(bound as f64 - used as f64);
        }
    }

    /// A call that was counted with `bound` tokens used none.
    pub(crate) fn refund(&mut self, bound: u64) {
        if let Some(bucket) = &mut self.tokens {
            bucket.give_back(bound as f64);
        }
    }

    /// No call starts before `until`; whether that is later than what held before.
    pub(crate) fn hold_until(&mut self, until: Instant) -> bool {
        let later = self.not_before.is_none_or(|known| until > known);
        if later {
            self.not_before = Some(until);
        }
        later
    }

    /// Slows down ahead of time: once little is left of what the server allows, its rest is spread over the time until the
    /// server's window starts anew.
    pub(crate) fn heed(&mut self, hints: &RateHints, window: usize, now: Instant) {
        let tokens_a_call = self.mean_tokens.max(1.0);
        let requests = calls_left(&hints.requests, 1.0);
        let tokens = calls_left(&hints.tokens, tokens_a_call);
        let mut gap: Option<(Duration, Instant)> = None;
        for (calls, reset) in [requests, tokens].into_iter().flatten() {
            let reset = reset.min(LONGEST_HINT);
            if calls < 1.0 {
                self.hold_until(now + reset);
            } else if calls < 2.0 * window as f64 {
                let wider = (reset.div_f64(calls), now + reset);
                gap = Some(gap.map_or(wider, |known| known.max(wider)));
            }
        }
        if requests.is_some() || tokens.is_some() {
            self.gap = gap;
        }
    }
}

/// How many calls an allowance has left, and until when; `None` where the server does not say both.
fn calls_left(allowance: &Allowance, units_a_call: f64) -> Option<(f64, Duration)> {
    Some((allowance.remaining? as f64 / units_a_call, allowance.reset?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Starts calls as soon as the pace lets them and returns the seconds at which they started.
    fn starts(pace: &mut Pace, from: Instant, calls: usize, tokens: u64) -> Vec<f64> {
        let mut now = from;
        (0..calls)
            .map(|_| {
                now += pace.wait(tokens, now);
                assert_eq!(pace.wait(tokens, now), Duration::ZERO, "a wait is long enough");
                pace.start(tokens, now);
                (now - from).as_secs_f64()
            })
            .collect()
    }

    fn most_in_a_minute(starts: &[f64]) -> usize {
        starts.iter().map(|from| starts.iter().filter(|at| **at >= *from && **at < from + 60.0).count()).max().unwrap_or(0)
    }

    #[test]
    fn no_minute_sees_more_requests_than_allowed_and_hardly_fewer() {
        for rate in [1, 6, 60, 61, 90, 600] {
            let now = Instant::now();
            let mut pace = Pace::new(Some(rate), None, now);
            let starts = starts(&mut pace, now, rate as usize * 5, 0);
            assert!(most_in_a_minute(&starts) <= rate as usize, "{rate}");
            let last = starts.last().copied().unwrap();
            assert!(last <= 5.0 * 61.0, "{rate}: the fifth minute's last call at {last} s");
        }
    }

    #[test]
    fn tokens_are_counted_by_their_bound_until_their_use_is_known() {
        let now = Instant::now();
        let mut pace = Pace::new(None, Some(6_100), now);
        // A call of 1,000 tokens: more than a second's worth, so one starts at once and the next after ten seconds.
        pace.start(1_000, now);
        assert!((pace.wait(1_000, now).as_secs_f64() - 10.0).abs() < 0.01);
        pace.settle(1_000, Some(100));
        assert!((pace.wait(1_000, now).as_secs_f64() - 1.0).abs() < 0.01);
        // Nobody knows what it used: the bound stands.
        pace.start(1_000, now);
        pace.settle(1_000, None);
        assert!((pace.wait(1_000, now).as_secs_f64() - 11.0).abs() < 0.01);
    }

    #[test]
    fn what_the_server_asks_for_is_kept_to_the_millisecond() {
        let now = Instant::now();
        let mut pace = Pace::new(None, None, now);
        pace.hold_until(now + Duration::from_millis(1_234));
        pace.hold_until(now + Duration::from_millis(200));
        assert_eq!(pace.wait(0, now), Duration::from_millis(1_234));
        assert_eq!(pace.wait(0, now + Duration::from_millis(1_234)), Duration::ZERO);
    }

    #[test]
    fn the_rest_of_an_allowance_is_spread_over_its_time() {
        let now = Instant::now();
        let left = |remaining| RateHints {
            requests: Allowance { limit: Some(100), remaining: Some(remaining), reset: Some(Duration::from_secs(10)) },
            tokens: Allowance::default(),
        };
        let mut pace = Pace::new(None, None, now);
        pace.heed(&left(90), 8, now);
        assert!(starts(&mut pace, now, 8, 0).iter().all(|at| *at == 0.0), "plenty is left");
        pace.heed(&left(5), 8, now);
        assert!((pace.wait(0, now).as_secs_f64() - 2.0).abs() < 0.01);
        pace.heed(&left(0), 8, now);
        assert!((pace.wait(0, now).as_secs_f64() - 10.0).abs() < 0.01);
        let after = now + Duration::from_secs(10);
        assert_eq!(pace.wait(0, after), Duration::ZERO, "a new window");
    }

    #[test]
    fn tokens_left_count_in_calls_and_absurd_resets_are_not_believed() {
        let now = Instant::now();
        let mut pace = Pace::new(None, None, now);
        pace.start(0, now);
        pace.settle(0, Some(1_000));
        let hints = |remaining, reset| RateHints {
            requests: Allowance::default(),
            tokens: Allowance { limit: None, remaining: Some(remaining), reset: Some(reset) },
        };
        pace.heed(&hints(4_000, Duration::from_secs(8)), 8, now);
        assert!((pace.wait(0, now).as_secs_f64() - 2.0).abs() < 0.01);
        pace.heed(&hints(0, Duration::from_secs(86_400)), 8, now);
        assert_eq!(pace.wait(0, now), LONGEST_HINT);
    }
}
