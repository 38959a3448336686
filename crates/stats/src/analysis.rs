//! The whole analysis of a study, in one pure call.

use rayon::prelude::*;

use crate::between::{between, interactions};
use crate::contrast::{contrasts, placebos};
use crate::endpoint::{ENDPOINTS, Endpoint, needs_an_event};
use crate::input::{Design, Observation};
use crate::rate::{findings, rates, refusals};
use crate::rows::Analysis;
use crate::table::{Arms, Part};

/// Analyses a study: every contrast, rate, comparison and interaction that its observations bear.
///
/// Every step is a closed formula on cells of task cluster by wording; nothing is resampled, so the result depends on the
/// arguments alone and not on `design.seed` or the number of threads. An endpoint that no observation bears is left out,
/// the primary one never. Observations of subjects or personas that the design does not name are ignored.
#[must_use]
pub fn analyse(design: &Design, observations: &[Observation]) -> Analysis {
    let all = tables(design, observations);
    let ((contrasts, between), interactions) =
        rayon::join(|| rayon::join(|| contrasts(design, &all), || between(design, &all)), || interactions(design, &all));
    Analysis {
        rates: rates(design, &all),
        aa: placebos(&contrasts),
        contrasts,
        between,
        interactions,
        refusals: refusals(design, observations),
        findings: findings(design, observations),
    }
}

/// The tables of every endpoint that the study bears: the whole, then by placement, then by language.
fn tables(design: &Design, observations: &[Observation]) -> Vec<Arms> {
    let collect = |(endpoint, part)| Arms::collect(design, observations, endpoint, part);
    let whole: Vec<(&'static Endpoint, Part)> = ENDPOINTS.iter().map(|endpoint| (endpoint, Part::default())).collect();
    let bears = |arms: &Arms| {
        let primary = arms.endpoint.name == design.primary;
        primary || (arms.any_answer() && (!needs_an_event(arms.endpoint) || arms.any_event()))
    };
    let mut all: Vec<Arms> = whole.into_par_iter().map(collect).filter(bears).collect();
    let parts: Vec<(&'static Endpoint, Part)> =
        all.iter().flat_map(|arms| parts(design).map(move |part| (arms.endpoint, part))).collect();
    all.extend(parts.into_par_iter().map(collect).collect::<Vec<Arms>>());
    all
}

fn parts(design: &Design) -> impl Iterator<Item = Part> {
    let several = |names: &[String]| if names.len() > 1 { names.len() } else { 0 };
    let placements = (0..several(&design.placements)).map(|place| Part { placement: Some(place), language: None });
    let languages = (0..several(&design.languages)).map(|place| Part { placement: None, language: Some(place) });
    placements.chain(languages)
}

#[cfg(test)]
mod tests;
