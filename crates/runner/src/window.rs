//! How many calls may be in flight: grows while the server keeps up, shrinks when it says that it does not.

/// The adaptive limit of one subject, between one call and what the study allows.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    limit: f64,
    most: f64,
    /// Until the first complaint it grows by one a success (doubling with each round of answers), after it by one a round.
    doubling: bool,
}

impl Window {
    /// Starts at half of what is allowed.
    pub(crate) fn new(most: u32) -> Window {
        let most = f64::from(most.max(1));
        Window { limit: (most / 2.0).ceil(), most, doubling: true }
    }

    /// How many calls may be in flight.
    pub(crate) fn size(&self) -> usize {
        // At least one; far below what a cast could lose.
        self.limit.max(1.0) as usize
    }

    /// An answer came while `in_flight` calls (itself included) were in flight.
    pub(crate) fn succeeded(&mut self, in_flight: usize) {
        // What was not used was not tried, so nothing is known about more.
        if in_flight >= self.size() {
            let step = if self.doubling { 1.0 } else { 1.0 / self.limit };
            self.limit = (self.limit + step).min(self.most);
        }
    }

    /// A round of calls met a complaint.
    pub(crate) fn shrink(&mut self) {
        self.limit = (self.limit / 2.0).max(1.0);
        self.doubling = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_until_the_first_complaint_then_grows_by_one_a_round() {
        let mut window = Window::new(256);
        assert_eq!(window.size(), 128);
        (0..128).for_each(|_| window.succeeded(128 + 128));
        assert_eq!(window.size(), 256);
        (0..50).for_each(|_| window.succeeded(256));
        assert_eq!(window.size(), 256, "never above what is allowed");

        window.shrink();
        assert_eq!(window.size(), 128);
        (0..129).for_each(|_| window.succeeded(200));
        assert_eq!(window.size(), 129);
        window.shrink();
        assert_eq!(window.size(), 64);
    }

    #[test]
    fn never_falls_below_one_and_never_grows_unused() {
        let mut window = Window::new(1);
        (0..9).for_each(|_| window.shrink());
        assert_eq!(window.size(), 1);
        let mut idle = Window::new(100);
        (0..500).for_each(|_| idle.succeeded(3));
        assert_eq!(idle.size(), 50);
    }
}
