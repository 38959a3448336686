//! Published claims beside what a study of this size can show of them.

use std::collections::BTreeSet;

use turncoat_ledger::{LedgerKind, Reader};
use turncoat_report::{Claim, Report};
use turncoat_stats::planning::{Assumptions, Size, detectable_ratio, needed, power};
use turncoat_stats::proportion::{Share, wilson};
use turncoat_stats::quantile::normal_quantile;
use turncoat_study::source::{Document, Problems, Section};
use turncoat_study::{Plan, Role};

use crate::failure::Failure;
use crate::ledgers;
use crate::power as planned;
use crate::shelf::Data;

/// The size of the published study, as far as it is known.
struct Published {
    trials: f64,
    models: f64,
    personas: f64,
}

/// One published figure.
struct Figure {
    subject: String,
    claim: String,
    source: String,
    text: String,
    ratio: Option<f64>,
    refusal: Option<f64>,
    weak: bool,
}

/// The claims that a built-in study tests; none for any other.
pub(crate) fn claims(reader: &Reader, report: &Report) -> Result<Vec<Claim>, Failure> {
    if reader.kind().map_err(|error| ledgers::failure(&error))? == LedgerKind::Import {
        return Ok(Vec::new());
    }
    let Some(text) = Data::text(&format!("studies/{}/claims.toml", report.study.name)) else { return Ok(Vec::new()) };
    let plan = reader.plan().map_err(|error| ledgers::failure(&error))?;
    let (published, figures) = read(text).map_err(|error| Failure::bug(error.to_string()))?;
    Ok(figures.iter().map(|figure| claim(figure, &published, &plan, report)).collect())
}

fn read(text: &str) -> Result<(Published, Vec<Figure>), Problems> {
    let document = Document::parse("claims.toml", text);
    let read = {
        let root = document.root();
        let number = |section: &Section<'_>, key: &str| section.number_if_any(key, 1.0..=1e9).unwrap_or(1.0);
        let published = root.section("published").map(|section| {
            let size = Published {
                trials: number(&section, "trials"),
                models: number(&section, "models"),
                personas: number(&section, "personas"),
            };
            section.done();
            size
        });
        let figures = root
            .sections("claim")
            .into_iter()
            .map(|section| {
                let figure = Figure {
                    subject: section.string("subject"),
                    claim: section.string("claim"),
                    source: section.string("source"),
                    text: section.string("text"),
                    ratio: section.number_if_any("ratio", 0.0..=100.0),
                    refusal: section.number_if_any("refusal", 0.0..=1.0),
                    weak: section.boolean_if_any("weak").unwrap_or(false),
                };
                section.done();
                figure
            })
            .collect();
        root.done();
        (published.unwrap_or(Published { trials: 1.0, models: 1.0, personas: 1.0 }), figures)
    };
    document.finish()?;
    Ok(read)
}

fn claim(figure: &Figure, published: &Published, plan: &Plan, report: &Report) -> Claim {
    let row = Claim {
        claim: figure.claim.clone(),
        source: figure.source.clone(),
        weak_source: figure.weak,
        published: figure.text.clone(),
        ..Claim::default()
    };
    match (figure.ratio, figure.refusal) {
        (Some(ratio), _) => effect(row, figure, ratio, published, plan, report),
        (None, _) => refusal(row, figure, plan, report),
    }
}

/// What is assumed of a subject: its baseline's share as this study saw it.
fn assumed(figure: &Figure, report: &Report) -> Assumptions {
    let seen = report
        .rates
        .iter()
        .find(|row| row.subject == figure.subject && row.persona == report.study.baseline && row.endpoint == "exploitable")
        .and_then(|row| row.rate);
    Assumptions { rate: seen.filter(|rate| *rate > 0.0).unwrap_or(Assumptions::default().rate), ..Assumptions::default() }
}

fn effect(row: Claim, figure: &Figure, ratio: f64, published: &Published, plan: &Plan, report: &Report) -> Claim {
    let (size, comparisons) = planned::size(plan);
    let level = planned::level(plan, comparisons);
    let assumed = assumed(figure, report);
    let mde = detectable_ratio(size, assumed, level).map(|ratio| format!("ratio {ratio:.2}"));
    let contrast = plan.personas.iter().filter(|persona| persona.role == Role::Treatment).find_map(|persona| {
        report.contrasts.iter().find(|row| {
            let pooled = row.placement.is_none() && row.language.is_none();
            row.subject == figure.subject
                && row.persona == persona.id
                && row.endpoint == "exploitable"
                && row.scale == "ratio"
                && pooled
        })
    });
    let mut shown = contrast.map_or_else(|| "no contrast".to_owned(), |row| turncoat_report::sentence(row, plan.analysis.alpha));
    let tested = (ratio - 1.0).abs() > 1e-9;
    if tested {
        // One wording a persona, as published: the number of tasks was not published, so the answers are taken as one repeat of many tasks.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive count of answers")]
        let cell = (published.trials / published.models / published.personas).max(2.0) as u32;
        let at_published = power(Size { clusters: cell, wordings: 1, repeats: 1 }, assumed, ratio, level);
        shown.push_str(&format!(
            " At the published size ({cell} answers an arm, were cells equal, and one wording) the chance to show it would be about {:.0} %.",
            100.0 * at_published
        ));
    }
    Claim {
        power: tested.then(|| power(size, assumed, ratio, level)),
        mde,
        answers_needed: if tested { needed(assumed, ratio, level, plan.repeats).map(Size::answers) } else { None },
        shown,
        ..row
    }
}

/// A share needs no comparison: what this study saw of it, with its interval.
fn refusal(row: Claim, figure: &Figure, plan: &Plan, report: &Report) -> Claim {
    let topics = sensitive(plan);
    let rows = report.refusals.iter().filter(|row| row.subject == figure.subject && topics.contains(row.topic.as_str()));
    let (asked, refused) = rows.fold((0, 0), |(asked, refused), row| (asked + row.asked, refused + row.refused));
    if asked == 0 {
        return Claim { shown: "no sensitive topic was asked".to_owned(), ..row };
    }
    let (low, high) = interval(refused, asked);
    let shown = format!(
        "{refused} of {asked} answers on {} sensitive topics were refused: {:.0} %, 95 % interval {:.0} to {:.0} % if answers were independent.",
        topics.len(),
        100.0 * share(refused, asked),
        100.0 * low,
        100.0 * high
    );
    Claim { mde: Some(format!("±{:.0} points on a share", 50.0 * (high - low))), shown, ..row }
}

/// The topics of a plan's sensitive tasks.
fn sensitive(plan: &Plan) -> BTreeSet<&str> {
    plan.tasks
        .iter()
        .filter_map(|task| task.topic.as_ref())
        .filter(|topic| topic.side == "sensitive")
        .map(|topic| topic.name.as_str())
        .collect()
}

/// A 95 % interval of a share.
fn interval(events: u64, of: u64) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
    let effective_n = of as f64;
    wilson(Share { rate: share(events, of), effective_n }, normal_quantile(0.025))
}

#[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
fn share(events: u64, of: u64) -> f64 {
    events as f64 / of as f64
}
