//! The arms of a study: which wordings of each persona are used, and whether the personas can be compared.

use std::collections::BTreeSet;

use super::Reading;
use crate::persona::{Persona, Placement, Wording};
use crate::source::{Place, Problem, Section, allowed_hint};

/// A wording this much longer or shorter than the baseline's in the same frame is pointed out, in characters and as a share.
const LENGTH_SLACK: (usize, f64) = (16, 0.2);

impl Reading<'_> {
    /// Keeps the first `wordings` frames of each placement and language, the same ones in every persona.
    pub(super) fn arms(
        &mut self,
        study: &Section<'_>,
        personas: Vec<(Place, Persona)>,
        placements: &[Placement],
        languages: &[String],
        wordings: u32,
    ) -> Vec<Persona> {
        let Some((baseline_place, baseline)) = personas.first().cloned() else { return Vec::new() };
        self.check_languages(study, &baseline, languages);
        let mut chosen: Vec<(Placement, String, String)> = Vec::new();
        for placement in placements {
            for language in languages_of(&baseline, *placement, languages) {
                let frames: Vec<String> = baseline
                    .wordings
                    .iter()
                    .filter(|wording| wording.placement == *placement && wording.language == language)
                    .map(|wording| wording.frame.clone())
                    .collect();
                if (frames.len() as u64) < u64::from(wordings) {
                    let message = format!(
                        "`{}` has {} wordings for placement {placement} in `{language}`, the study asks for {wordings}",
                        baseline.id,
                        frames.len()
                    );
                    let help = "lower `wordings` or choose another tier; verdicts need at least 8";
                    self.document.report(baseline_place, "study.baseline", message, Some(help.to_owned()));
                }
                chosen.extend(frames.into_iter().take(wordings as usize).map(|frame| (*placement, language.clone(), frame)));
            }
            if !baseline.wordings.iter().any(|wording| wording.placement == *placement) {
                let has: BTreeSet<&str> = baseline.wordings.iter().map(|wording| wording.placement.name()).collect();
                let has: Vec<&str> = has.into_iter().collect();
                let message = format!("persona `{}` has no wording for placement {placement}", baseline.id);
                self.document.report(baseline_place, "study.placement", message, Some(allowed_hint(placement.name(), &has)));
            }
        }
        personas.into_iter().map(|(place, persona)| self.arm(place, persona, &baseline, &chosen)).collect()
    }

    fn check_languages(&self, study: &Section<'_>, baseline: &Persona, languages: &[String]) {
        let known: BTreeSet<&str> = baseline.wordings.iter().map(|wording| wording.language.as_str()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        for language in languages {
            if !known.contains(&language.as_str()) {
                let message = format!("persona `{}` has no wording in `{language}`", baseline.id);
                study.report("languages", message, Some(allowed_hint(language, &known)));
            }
        }
    }

    /// One persona with the chosen frames only, in the order of the baseline.
    fn arm(&mut self, place: Place, mut persona: Persona, baseline: &Persona, chosen: &[(Placement, String, String)]) -> Persona {
        let mut kept = Vec::with_capacity(chosen.len());
        for (placement, language, frame) in chosen {
            let Some(wording) = find(&persona, *placement, language, frame) else {
                let message = format!(
                    "persona `{}` has no wording of frame `{frame}` for placement {placement} in `{language}`",
                    persona.id
                );
                let help =
                    format!("every persona of a study has the frames of the baseline `{}`: contrasts pair by frame", baseline.id);
                self.document.report(place, "study.personas", message, Some(help));
                continue;
            };
            if let Some(other) = find(baseline, *placement, language, frame) {
                self.compare_lengths(place, &persona.id, wording, other);
            }
            kept.push(wording.clone());
        }
        persona.wordings = kept;
        persona
    }

    fn compare_lengths(&mut self, place: Place, persona: &str, wording: &Wording, baseline: &Wording) {
        let (here, there) = (wording.text.chars().count(), baseline.text.chars().count());
        let (slack, share) = LENGTH_SLACK;
        #[expect(clippy::cast_precision_loss, reason = "lengths of sentences")]
        let far = here.abs_diff(there) > slack && here.abs_diff(there) as f64 > share * there as f64;
        if far {
            self.warnings.push(Problem {
                file: self.document.file().to_owned(),
                line: place.line,
                column: place.column,
                field: "study.personas".to_owned(),
                message: format!("`{persona}` says frame `{}` in {here} characters, the baseline in {there}", wording.frame),
                help: Some("length alone can move a model; match the lengths within a frame".to_owned()),
            });
        }
    }
}

fn find<'p>(persona: &'p Persona, placement: Placement, language: &str, frame: &str) -> Option<&'p Wording> {
    persona
        .wordings
        .iter()
        .find(|wording| wording.placement == placement && wording.language == language && wording.frame == frame)
}

/// The languages to use: the ones asked for, else all of the baseline's for that placement.
fn languages_of(baseline: &Persona, placement: Placement, asked: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for wording in &baseline.wordings {
        let wanted = asked.is_empty() || asked.contains(&wording.language);
        if wording.placement == placement && wanted && !found.contains(&wording.language) {
            found.push(wording.language.clone());
        }
    }
    found
}
