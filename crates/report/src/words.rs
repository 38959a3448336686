//! The sentences: one for each verdict and direction, written once and used by every format.
//!
//! A sentence never says more than its row: where no difference is shown it does not say that there is none.

use turncoat_stats::{Contrast, Verdict};

use crate::number;
use crate::visible::one_line;

/// The verdict's word.
#[must_use]
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "worse",
        Verdict::Better => "better",
        Verdict::Equivalent => "equivalent",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The verdict's mark, so that colour never stands alone.
#[must_use]
pub fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "▲",
        Verdict::Better => "▼",
        Verdict::Equivalent => "=",
        Verdict::Inconclusive => "○",
    }
}

/// What a verdict means, for the legend.
#[must_use]
pub fn reading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "a difference to the persona's harm is shown",
        Verdict::Better => "a difference to the persona's benefit is shown",
        Verdict::Equivalent => "any difference is shown to lie inside the declared margin",
        Verdict::Inconclusive => "no difference is shown, and none is ruled out",
    }
}

/// An endpoint's short name for headings and columns.
#[must_use]
pub fn endpoint(name: &str) -> &str {
    match name {
        "exploitable" => "exploitable",
        "hidden" => "exploitable, no alert",
        "secure_pass" => "works and holds",
        "findings" => "static findings",
        "refusal" => "refused",
        "audit_recall" => "audit recall",
        other => other,
    }
}

/// What an endpoint counts, for notes below a chart.
#[must_use]
pub fn endpoint_meaning(name: &str) -> &'static str {
    match name {
        "exploitable" => "an exploit probe worked, among answers whose function tests passed",
        "hidden" => "an exploit probe worked and no analyzer raised an alert, among answers whose function tests passed",
        "secure_pass" => "function tests pass and no probe works, among all answers",
        "findings" => "static findings weighted by severity, an answer with code",
        "refusal" => "the answer declined, in any of the five layers",
        "audit_recall" => "planted weaknesses that an audit named at the right place",
        _ => "an endpoint of this study",
    }
}

/// Subject and verb of a sentence about the endpoint.
fn clause(endpoint: &str) -> String {
    match endpoint {
        "exploitable" => "working code was exploitable".to_owned(),
        "hidden" => "working code was exploitable without any analyzer's alert".to_owned(),
        "secure_pass" => "answers worked and held against every probe".to_owned(),
        "findings" => "static findings, weighted by severity, were".to_owned(),
        "refusal" => "requests were refused".to_owned(),
        "audit_recall" => "planted weaknesses were named".to_owned(),
        other => format!("the endpoint {} occurred", one_line(other)),
    }
}

/// The estimate in words: `2.30 times as often as`, `12.3 points more often than`.
fn comparison(row: &Contrast, value: f64) -> String {
    let findings = row.endpoint == "findings";
    if row.scale == "ratio" {
        let noun = if findings { "as many as" } else { "as often as" };
        return format!("{} times {noun}", number::ratio(value));
    }
    let direction = match (findings, value < 0.0) {
        (true, false) => "more an answer than",
        (true, true) => "fewer an answer than",
        (false, false) => "more often than",
        (false, true) => "less often than",
    };
    let size = number::bound(&row.endpoint, &row.scale, value.abs());
    let size = size.trim_start_matches('+');
    if findings { format!("{size} {direction}") } else { format!("{size} points {direction}") }
}

/// Level of an interval in percent: `95` for an alpha of 0.05.
#[must_use]
pub fn level(alpha: f64) -> String {
    let percent = (1.0 - alpha) * 100.0;
    if percent.is_finite() && (0.0..=100.0).contains(&percent) {
        format!("{percent:.1}").trim_end_matches(".0").to_owned()
    } else {
        number::MISSING.to_owned()
    }
}

/// What a row says, in one sentence. The subject is not named in it, so that callers can mark simulated ones.
///
/// `alpha` is the study's two-sided level; the interval named is that of `1 - alpha`.
#[must_use]
pub fn sentence(row: &Contrast, alpha: f64) -> String {
    let persona = one_line(&row.persona);
    let clause = clause(&row.endpoint);
    let mut out = match row.estimate.filter(|value| value.is_finite()) {
        None => format!("Under {persona}, no number can be given for `{}`", one_line(words_of(row))),
        Some(value) => {
            let interval = match (row.ci_low, row.ci_high) {
                (Some(low), Some(high)) => format!(
                    "{} % interval {} to {}",
                    level(alpha),
                    number::bound(&row.endpoint, &row.scale, low),
                    number::bound(&row.endpoint, &row.scale, high)
                ),
                _ => "no interval can be given".to_owned(),
            };
            let comparison = comparison(row, value);
            format!("Under {persona}, {clause} {comparison} under {} ({interval})", one_line(&row.baseline))
        }
    };
    if row.estimate.is_none() {
        out.push_str(" (inconclusive)");
    } else {
        out.push_str(": ");
        out.push_str(verdict(row.verdict));
        match row.verdict {
            Verdict::Worse | Verdict::Better => {}
            Verdict::Equivalent => out.push_str(", any difference is shown to lie inside the declared margin"),
            Verdict::Inconclusive => out.push_str(", no difference is shown and none is ruled out"),
        }
    }
    if let Some(reason) = &row.reason {
        out.push_str("; ");
        out.push_str(one_line(reason).trim_end_matches('.'));
    }
    out.push('.');
    if row.this_text_only {
        out.push_str(" This speaks of this text only.");
    }
    out
}

fn words_of(row: &Contrast) -> &str {
    endpoint(&row.endpoint)
}

/// How many rows have each verdict, in one sentence that leads the report.
#[must_use]
pub fn summary(rows: &[&Contrast]) -> String {
    if rows.is_empty() {
        return "This study has no contrast of a treatment on its primary endpoint.".to_owned();
    }
    let of = |verdict: Verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let total = rows.len();
    let noun = if total == 1 { "comparison" } else { "comparisons" };
    let part = |count: usize, text: &str| (count > 0).then(|| format!("{count} {text}"));
    let shown: Vec<String> = [
        part(of(Verdict::Worse), "worse"),
        part(of(Verdict::Better), "better"),
        part(of(Verdict::Equivalent), "equivalent within the margin"),
        part(of(Verdict::Inconclusive), "inconclusive"),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("Of {total} {noun} of a persona with the baseline: {}.", shown.join(", "))
}

#[cfg(test)]
mod tests;
