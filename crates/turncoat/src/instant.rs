//! Points in time as people and programs read them.

/// RFC 3339 in UTC, to the second; empty for a moment no calendar has.
pub(crate) fn rfc3339(at_ms: i64) -> String {
    jiff::Timestamp::from_second(at_ms.div_euclid(1000)).map(|moment| moment.to_string()).unwrap_or_default()
}

/// A short span such as `3 min 20 s`.
pub(crate) fn span(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a positive range")]
    let whole = seconds.clamp(0.0, 1e9).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..172_800 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} days", whole / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400_999), "2000-02-29T00:00:00Z");
    }

    #[test]
    fn spans_are_short() {
        assert_eq!(span(3.4), "3 s");
        assert_eq!(span(200.0), "3 min 20 s");
        assert_eq!(span(7_260.0), "2 h 1 min");
    }
}
