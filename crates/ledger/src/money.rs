//! Money as it is stored, whole billionths of a dollar, so that sums are exact; and the numbers that stand for error kinds.

use turncoat_answer::ErrorKind;

/// Billionths of a dollar in a dollar.
const NANO: f64 = 1e9;

/// USD to billionths, rounded up so that no sum of costs is ever below the truth. What is no amount counts as nothing.
pub(crate) fn to_nano(usd: f64) -> i64 {
    if usd.is_finite() && usd > 0.0 {
        // A cast of a float saturates; nine billion dollars fit.
        // The small step down keeps 0.0000015 (1,500.0000000000002 billionths) from becoming 1,501.
        (usd * NANO - 1e-3).ceil().max(0.0) as i64
    } else {
        0
    }
}

/// Billionths to USD.
pub(crate) fn to_usd(nano: i64) -> f64 {
    nano as f64 / NANO
}

/// The kinds of error in the order of their stored numbers, from 1. Append only.
const KINDS: [ErrorKind; 14] = [
    ErrorKind::Auth,
    ErrorKind::Quota,
    ErrorKind::RateLimited,
    ErrorKind::NotFound,
    ErrorKind::BadRequest,
    ErrorKind::Server,
    ErrorKind::Connect,
    ErrorKind::Broken,
    ErrorKind::Timeout,
    ErrorKind::Malformed,
    ErrorKind::PromptCut,
    ErrorKind::TooLarge,
    ErrorKind::Engine,
    ErrorKind::Unknown,
];

/// The stored number of [`ErrorKind::Unknown`].
pub(crate) const UNKNOWN: i64 = 14;

/// The number that stands for a kind.
pub(crate) fn kind_number(kind: ErrorKind) -> i64 {
    KINDS.iter().position(|known| *known == kind).map_or(UNKNOWN, |index| index as i64 + 1)
}

/// The kind that a number stands for; a number of a newer program is unknown here.
pub(crate) fn kind_of(number: i64) -> ErrorKind {
    usize::try_from(number - 1).ok().and_then(|index| KINDS.get(index)).copied().unwrap_or(ErrorKind::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_never_rounds_down() {
        assert_eq!(to_nano(0.0000015), 1500);
        assert_eq!(to_nano(1e-12), 0, "a thousandth of a billionth is within the error of a float");
        assert_eq!(to_nano(1.2e-9), 2);
        assert_eq!(to_nano(50.0), 50_000_000_000);
        assert_eq!(to_nano(f64::NAN), 0);
        assert_eq!(to_nano(-1.0), 0);
        assert!((to_usd(to_nano(12.345_678_9)) - 12.345_678_9).abs() < 1e-9);
    }

    #[test]
    fn every_kind_has_its_number() {
        for (index, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind_number(kind), index as i64 + 1);
            assert_eq!(kind_of(kind_number(kind)), kind);
        }
        assert_eq!(kind_number(ErrorKind::Unknown), UNKNOWN);
        assert_eq!(kind_of(99), ErrorKind::Unknown);
        assert_eq!(kind_of(-5), ErrorKind::Unknown);
    }
}
