//! Numbers as people read them; rounding happens here and nowhere else.

/// What stands where a number cannot be given.
pub const MISSING: &str = "n/a";

fn signed(text: String) -> String {
    text.replacen('-', "−", 1)
}

/// A ratio: `2.30`, and fewer decimals where it is large.
#[must_use]
pub fn ratio(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let decimals = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    if value > 0.0 && value < 0.005 { "<0.01".to_owned() } else { signed(format!("{value:.decimals$}")) }
}

/// A share in percentage points with its sign: `+12.3`.
#[must_use]
pub fn points(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    let text = format!("{:+.1}", value * 100.0);
    if text == "-0.0" || text == "+0.0" { "0.0".to_owned() } else { signed(text) }
}

/// A share per 100: `46.0`.
#[must_use]
pub fn per_hundred(value: f64) -> String {
    if value.is_finite() { signed(format!("{:.1}", value * 100.0)) } else { MISSING.to_owned() }
}

/// A plain number with its sign and two decimals, for differences that are no shares.
#[must_use]
pub fn plain_difference(value: f64) -> String {
    if value.is_finite() { signed(format!("{value:+.2}")) } else { MISSING.to_owned() }
}

/// A p-value: `0.012`, and `<0.001` below.
#[must_use]
pub fn p_value(value: Option<f64>) -> String {
    match value {
        Some(p) if p.is_finite() && p < 0.001 => "<0.001".to_owned(),
        Some(p) if p.is_finite() => format!("{p:.3}"),
        _ => MISSING.to_owned(),
    }
}

/// A count with thousands apart: `2,800`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count that may be unknown.
#[must_use]
pub fn known(value: Option<u64>) -> String {
    value.map_or_else(|| "not known".to_owned(), count)
}

/// Money in US dollars: cents above one dollar, four decimals below.
#[must_use]
pub fn usd(value: f64) -> String {
    if !value.is_finite() {
        MISSING.to_owned()
    } else if value == 0.0 {
        "USD 0".to_owned()
    } else if value.abs() < 1.0 {
        format!("USD {value:.4}")
    } else {
        format!("USD {value:.2}")
    }
}

/// How an endpoint's differences are written.
fn is_share(endpoint: &str) -> bool {
    endpoint != "findings"
}

/// An estimate on its scale with its unit: `2.30×`, `+12.3 points`, `+0.40` for findings an answer.
#[must_use]
pub fn estimate(endpoint: &str, scale: &str, value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => match (scale, is_share(endpoint)) {
            ("ratio", _) => format!("{}×", ratio(value)),
            (_, true) => format!("{} points", points(value)),
            (_, false) => plain_difference(value),
        },
        _ => MISSING.to_owned(),
    }
}

/// One end of an interval on its scale, without a unit.
#[must_use]
pub fn bound(endpoint: &str, scale: &str, value: f64) -> String {
    match (scale, is_share(endpoint)) {
        ("ratio", _) => ratio(value),
        (_, true) => points(value),
        (_, false) => plain_difference(value),
    }
}

/// An interval: `[1.71, 3.09]`, or `None` where an end is missing.
#[must_use]
pub fn interval(endpoint: &str, scale: &str, low: Option<f64>, high: Option<f64>) -> Option<String> {
    Some(format!("[{}, {}]", bound(endpoint, scale, low?), bound(endpoint, scale, high?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_once_and_missing_ones_say_so() {
        assert_eq!(ratio(2.3), "2.30");
        assert_eq!(ratio(12.34), "12.3");
        assert_eq!(ratio(0.001), "<0.01");
        assert_eq!(points(0.1234), "+12.3");
        assert_eq!(points(-0.05), "−5.0");
        assert_eq!(points(-0.0001), "0.0");
        assert_eq!(p_value(Some(0.0004)), "<0.001");
        assert_eq!(p_value(None), "n/a");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(estimate("exploitable", "ratio", Some(f64::NAN)), "n/a");
        assert_eq!(estimate("findings", "difference", Some(0.4)), "+0.40");
        assert_eq!(interval("refusal", "difference", Some(-0.01), Some(0.2)).as_deref(), Some("[−1.0, +20.0]"));
        assert_eq!(interval("refusal", "difference", None, Some(0.2)), None);
    }
}
