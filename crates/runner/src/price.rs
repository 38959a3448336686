//! What a call can cost at most, and what it did cost. Money is in whole billionths of a dollar, so that sums are exact.

use turncoat_answer::{ErrorKind, Usage};
use turncoat_study::{Price, Prompt, SubjectSpec};

/// Tokens that a chat template adds around two messages, generously.
const TEMPLATE_TOKENS: u64 = 256;

/// Billionths of a dollar in a dollar.
pub(crate) const NANO: f64 = 1e9;

/// The price list of one subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prices {
    /// `None` for what costs nothing, and for what has no price (then no budget is given).
    price: Option<Price>,
    max_tokens: u64,
}

/// What one call can cost at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) input_nano_usd: i64,
    pub(crate) output_nano_usd: i64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

impl Bound {
    pub(crate) fn nano_usd(&self) -> i64 {
        self.input_nano_usd.saturating_add(self.output_nano_usd)
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

impl Prices {
    pub(crate) fn of(subject: &SubjectSpec) -> Prices {
        let price = if subject.endpoint.provider.is_free() { None } else { subject.conduct.price };
        Prices { price, max_tokens: u64::from(subject.endpoint.sampling.max_tokens) }
    }

    /// Whether calls cost nothing, or nobody knows what.
    pub(crate) fn are_free(&self) -> bool {
        self.price.is_none()
    }

    /// The bound of a call: no tokenizer makes more tokens than there are bytes, and no answer is longer than `max_tokens`.
    pub(crate) fn bound(&self, prompt: &Prompt) -> Bound {
        let input_tokens = (prompt.system.len() + prompt.user.len()) as u64 + TEMPLATE_TOKENS;
        let output_tokens = self.max_tokens;
        let nano =
            |tokens: u64, per_million: fn(&Price) -> f64| self.price.as_ref().map_or(0, |price| cost(tokens, per_million(price)));
        Bound {
            input_nano_usd: nano(input_tokens, |price| price.input),
            output_nano_usd: nano(output_tokens, |price| price.output),
            input_tokens,
            output_tokens,
        }
    }

    /// What an answer cost: the server's own word if it gives one, else its token counts times the price, and the bound for
    /// a count that is missing.
    pub(crate) fn of_answer(&self, usage: &Usage, bound: &Bound) -> i64 {
        let Some(price) = &self.price else { return 0 };
        if let Some(usd) = usage.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0) {
            return (usd * NANO).ceil() as i64;
        }
        let input = usage.input.map_or(bound.input_nano_usd, |tokens| cost(tokens, price.input));
        let output = usage.output.map_or(bound.output_nano_usd, |tokens| cost(tokens, price.output));
        input.saturating_add(output)
    }

    /// What a failed call cost: nothing where the server plainly did not answer, the bound where it may have.
    pub(crate) fn of_failure(&self, kind: ErrorKind, bound: &Bound) -> i64 {
        match kind {
            ErrorKind::Auth
            | ErrorKind::Quota
            | ErrorKind::RateLimited
            | ErrorKind::NotFound
            | ErrorKind::BadRequest
            | ErrorKind::Server
            | ErrorKind::Connect => 0,
            ErrorKind::Broken
            | ErrorKind::Timeout
            | ErrorKind::Malformed
            | ErrorKind::PromptCut
            | ErrorKind::TooLarge
            | ErrorKind::Engine
            | ErrorKind::Unknown => bound.nano_usd(),
        }
    }
}

/// Tokens at a price in USD per million, in billionths, rounded up.
fn cost(tokens: u64, usd_per_million: f64) -> i64 {
    // A thousandth of a billionth is below what a float resolves at these sizes: it must not become a whole one.
    (tokens as f64 * usd_per_million * 1e3 - 1e-3).ceil().max(0.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices { price: Some(Price { input: 0.5, output: 1.5 }), max_tokens: 4096 };

    fn prompt() -> Prompt {
        Prompt { system: "s".repeat(100), user: "é".repeat(322) }
    }

    #[test]
    fn the_bound_counts_bytes_and_the_longest_answer() {
        let bound = PRICES.bound(&prompt());
        assert_eq!(bound.input_tokens, 100 + 644 + 256);
        assert_eq!(bound.input_nano_usd, 500_000);
        assert_eq!(bound.output_nano_usd, 6_144_000);
        assert_eq!(bound.tokens(), 5096);
    }

    #[test]
    fn answers_cost_what_the_server_says_or_their_tokens_or_the_bound() {
        let bound = PRICES.bound(&prompt());
        let usage = |input, output, cost_usd| Usage { input, output, cost_usd, ..Usage::default() };
        assert_eq!(PRICES.of_answer(&usage(Some(100), Some(200), None), &bound), 50_000 + 300_000);
        assert_eq!(PRICES.of_answer(&usage(Some(100), Some(200), Some(0.001)), &bound), 1_000_000);
        assert_eq!(PRICES.of_answer(&usage(Some(100), Some(200), Some(f64::NAN)), &bound), 350_000);
        assert_eq!(PRICES.of_answer(&usage(Some(100), None, None), &bound), 50_000 + 6_144_000);
        assert_eq!(PRICES.of_answer(&usage(None, None, None), &bound), bound.nano_usd());
    }

    #[test]
    fn failures_cost_the_bound_where_an_answer_may_have_been_made() {
        let bound = PRICES.bound(&prompt());
        assert_eq!(PRICES.of_failure(ErrorKind::RateLimited, &bound), 0);
        assert_eq!(PRICES.of_failure(ErrorKind::Timeout, &bound), bound.nano_usd());
        let free = Prices { price: None, max_tokens: 4096 };
        assert_eq!(free.of_failure(ErrorKind::Timeout, &free.bound(&prompt())), 0);
    }
}
