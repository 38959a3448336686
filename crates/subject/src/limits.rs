//! What response headers and error texts tell about limits: how many, how many left, how long to wait.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use crate::call::{Allowance, RateHints};

/// Longest wait that is believed: a day. A wait beyond it comes from a broken clock or a wrong unit.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Reads the limits in a response's headers, at the time `now`.
pub(crate) fn hints(headers: &HeaderMap, now: SystemTime) -> RateHints {
    // Most responses of most servers carry none; then the look-ups below are saved.
    if !headers.keys().any(|name| name.as_str().contains("ratelimit")) {
        return RateHints::default();
    }
    let allowance = |kind: &str| {
        let first = |part: &str, plain: bool| {
            let names = [
                format!("x-ratelimit-{part}-{kind}"),
                format!("anthropic-ratelimit-{kind}-{part}"),
                format!("x-ratelimit-{part}"),
                format!("ratelimit-{part}"),
            ];
            names.iter().take(if plain { 4 } else { 2 }).find_map(|name| text(headers, name)).map(str::to_owned)
        };
        // Headers that name no kind speak of requests.
        let plain = kind == "requests";
        Allowance {
            limit: first("limit", plain).and_then(|value| whole(&value)),
            remaining: first("remaining", plain).and_then(|value| whole(&value)),
            reset: first("reset", plain).and_then(|value| moment(&value, now)),
        }
    };
    RateHints { requests: allowance("requests"), tokens: allowance("tokens") }
}

/// How long the server asks to wait: by header, else by the words of its message.
pub(crate) fn retry_after(headers: &HeaderMap, message: &str, now: SystemTime) -> Option<Duration> {
    let milliseconds = text(headers, "retry-after-ms").and_then(|value| value.parse::<f64>().ok()).map(|value| value / 1000.0);
    let wait = milliseconds
        .and_then(seconds)
        .or_else(|| moment(text(headers, "retry-after")?, now))
        .or_else(|| wait_in_words(message))?;
    Some(wait.min(LONGEST_WAIT))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|value| !value.is_empty())
}

fn whole(value: &str) -> Option<u64> {
    // Some servers list several windows, `100, 100;w=60`: the first is the one in force.
    let first = value.split([',', ';']).next()?.trim();
    first
        .parse()
        .ok()
        .or_else(|| first.parse::<f64>().ok().filter(|amount| (0.0..9.0e15).contains(amount)).map(|amount| amount as u64))
}

fn seconds(value: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(value).ok()
}

/// The time until a moment, given as seconds, as `1m2.5s`, as a Unix time in seconds or milliseconds, as an HTTP date or as an RFC 3339 date.
fn moment(value: &str, now: SystemTime) -> Option<Duration> {
    let until = |then: SystemTime| Some(then.duration_since(now).unwrap_or_default());
    if let Ok(number) = value.parse::<f64>() {
        return match number {
            1.0e12.. => until(UNIX_EPOCH + seconds(number / 1000.0)?),
            1.0e9.. => until(UNIX_EPOCH + seconds(number)?),
            _ => seconds(number),
        };
    }
    span(value)
        .map(|(span, _)| span)
        .or_else(|| until(httpdate::parse_http_date(value).ok()?))
        .or_else(|| until(rfc_3339(value)?))
}

/// A span such as `6m0s`, `20ms`, `1h2m3.5s` or `20 seconds` at the start of a text, and what follows it.
fn span(text: &str) -> Option<(Duration, &str)> {
    let (mut total, mut rest, mut any) = (0.0, text, false);
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Some((number, after)) = rest.split_at_checked(digits) else { break };
        let Ok(number) = number.trim_end_matches('.').parse::<f64>() else { break };
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let Some((unit, after)) = after.split_at_checked(letters) else { break };
        total += number
            * match unit.to_ascii_lowercase().as_str() {
                "ms" | "millisecond" | "milliseconds" => 0.001,
                "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
                "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
                "h" | "hour" | "hours" => 3600.0,
                "d" | "day" | "days" => 86400.0,
                _ => return None,
            };
        (rest, any) = (after, true);
    }
    if any { Some((seconds(total)?, rest)) } else { None }
}

/// The wait in a sentence such as "Please try again in 1.2s".
fn wait_in_words(message: &str) -> Option<Duration> {
    let lower = message.to_ascii_lowercase();
    ["try again in ", "retry in ", "retry after ", "try again after "]
        .iter()
        .find_map(|lead| Some(span(lower.split_once(lead)?.1)?.0))
}

/// An RFC 3339 date and time, such as `2026-01-31T23:59:59Z`; fractions are dropped.
fn rfc_3339(value: &str) -> Option<SystemTime> {
    let (date, time) = value.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let mut clock = clock.split(':').map(|part| part.split('.').next()?.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let offset_minutes = match offset.strip_prefix(['+', '-']) {
        Some(rest) => {
            let (hours, minutes) = rest.split_once(':')?;
            let size = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if offset.starts_with('-') { -size } else { size }
        }
        None => 0,
    };
    if !(1970..3000).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970-01-01 in the proleptic Gregorian calendar; the year starts in March, so that the leap day is its last.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + (153 * shifted_month + 2) / 5 + day
            - 1
            - 719_468;
    let unix = days * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(unix).ok()?))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn now() -> SystemTime {
        // 1994-11-06 08:49:37 UTC, the date of the examples in RFC 9110.
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    #[test]
    fn retry_after_in_every_form() {
        let wait = |pairs: &[(&'static str, &'static str)], message: &str| retry_after(&headers(pairs), message, now());
        assert_eq!(wait(&[("retry-after", "7")], ""), Some(Duration::from_secs(7)));
        assert_eq!(wait(&[("retry-after", "1.5")], ""), Some(Duration::from_millis(1500)));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], ""), Some(Duration::from_secs(30)));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], ""), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after-ms", "250"), ("retry-after", "1")], ""), Some(Duration::from_millis(250)));
        assert_eq!(wait(&[], "Rate limit reached. Please try again in 1.2s. Visit"), Some(Duration::from_millis(1200)));
        assert_eq!(wait(&[], "Try again in 6m0s."), Some(Duration::from_secs(360)));
        assert_eq!(wait(&[], "please retry after 20 seconds"), Some(Duration::from_secs(20)));
        assert_eq!(wait(&[], "try again in 860ms"), Some(Duration::from_millis(860)));
        assert_eq!(wait(&[], "try again in a moment"), None);
        assert_eq!(wait(&[("retry-after", "soon")], ""), None);
        assert_eq!(wait(&[("retry-after", "99999999")], ""), Some(LONGEST_WAIT));
        assert_eq!(wait(&[("retry-after", "-3")], ""), None);
    }

    #[test]
    fn limits_of_openai_and_anthropic() {
        let openai = hints(
            &headers(&[
                ("x-ratelimit-limit-requests", "60"),
                ("x-ratelimit-remaining-requests", "59"),
                ("x-ratelimit-reset-requests", "1s"),
                ("x-ratelimit-limit-tokens", "150000"),
                ("x-ratelimit-remaining-tokens", "149984"),
                ("x-ratelimit-reset-tokens", "6m0.5s"),
            ]),
            now(),
        );
        assert_eq!(openai.requests, Allowance { limit: Some(60), remaining: Some(59), reset: Some(Duration::from_secs(1)) });
        assert_eq!(
            openai.tokens,
            Allowance { limit: Some(150_000), remaining: Some(149_984), reset: Some(Duration::from_millis(360_500)) }
        );
        let anthropic = hints(
            &headers(&[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("anthropic-ratelimit-requests-reset", "1994-11-06T08:50:37Z"),
                ("anthropic-ratelimit-tokens-remaining", "80000"),
            ]),
            now(),
        );
        assert_eq!(anthropic.requests, Allowance { limit: Some(50), remaining: Some(0), reset: Some(Duration::from_secs(60)) });
        assert_eq!(anthropic.tokens, Allowance { limit: None, remaining: Some(80_000), reset: None });
        let draft = hints(&headers(&[("ratelimit-limit", "100, 100;w=60"), ("ratelimit-reset", "50")]), now());
        assert_eq!(draft.requests, Allowance { limit: Some(100), remaining: None, reset: Some(Duration::from_secs(50)) });
        let plain = hints(&headers(&[("x-ratelimit-remaining", "3"), ("x-ratelimit-reset", "784111787000")]), now());
        assert_eq!(plain.requests.remaining, Some(3));
        assert_eq!(plain.tokens, Allowance::default());
    }

    #[test]
    fn dates_of_rfc_3339() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:30:15.250Z", 951_827_415),
            ("2026-11-24T01:00:00+01:00", 1_795_478_400),
            ("2026-12-31T23:59:59-00:30", 1_798_763_399),
        ] {
            assert_eq!(rfc_3339(text), Some(UNIX_EPOCH + Duration::from_secs(unix)), "{text}");
        }
        for text in ["", "2026-13-01T00:00:00Z", "2026-01-01", "x-y-zTa:b:c"] {
            assert_eq!(rfc_3339(text), None, "{text}");
        }
    }
}
