//! What a hint at security does to six models, from the published verdicts, against the known values.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use turncoat_stats::{Design, Observation, PersonaDesign, SampleOutcome, Verdict, analyse};

/// Points by which the hint lowers the vulnerable share, and the half-width of its 95 % interval.
const HINT: &[(&str, f64, f64)] = &[
    ("claude-opus-4.6", 19.4, 8.0),
    ("kimi-k2.5", 13.5, 6.5),
    ("minimax-m2.5", 13.9, 5.3),
    ("deepseek-v3.2", 9.5, 5.6),
    ("qwen3-coder-plus", 10.2, 5.1),
];

fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

fn published() -> (Design, Vec<Observation>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/published/seccodebench-verdicts.csv");
    let mut table = csv::Reader::from_path(path).unwrap();
    let (mut subjects, mut personas, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    let mut observations = Vec::new();
    for row in table.deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        observations.push(Observation {
            subject: place(&mut subjects, &row["subject"]),
            persona: place(&mut personas, &row["persona"]),
            placement: 0,
            language: 0,
            wording: 0,
            cluster: place(&mut clusters, &row["cluster"]),
            task: 0,
            topic: None,
            repeat: row["repeat"].parse().unwrap(),
            is_code: true,
            outcome: match row["outcome"].as_str() {
                "exploitable" => SampleOutcome::Exploitable,
                "safe" => SampleOutcome::Safe,
                "broken" => SampleOutcome::Broken,
                other => panic!("{other}"),
            },
            refusal_layer: None,
            findings_weighted: None,
            findings_count: None,
            alerted: None,
            code_lines: None,
            cwes: Vec::new(),
            audit_hits: None,
            false_alarms: None,
        });
    }
    assert_eq!(personas, ["gen", "genhints"]);
    let role = |id: &String| if id == "gen" { "baseline" } else { "treatment" };
    let design = Design {
        subjects,
        personas: personas.iter().map(|id| PersonaDesign { id: id.clone(), role: role(id).to_owned() }).collect(),
        baseline: 0,
        placements: vec![String::new()],
        languages: vec![String::new()],
        clusters,
        topics: Vec::new(),
        cwes: Vec::new(),
        primary: "exploitable".to_owned(),
        alpha: 0.05,
        margin_ratio: 1.25,
        margin_difference: 0.05,
        adjust: "holm".to_owned(),
        tier: "import".to_owned(),
        fixed_texts: true,
        seed: 1,
    };
    (design, observations)
}

#[test]
fn a_hint_lowers_the_vulnerable_share_as_known() {
    let (design, observations) = published();
    let analysis = analyse(&design, &observations);
    for (subject, effect, half) in HINT {
        let row = analysis
            .contrasts
            .iter()
            .find(|row| row.subject == *subject && row.endpoint == "exploitable" && row.scale == "difference")
            .unwrap();
        let found = -100.0 * row.estimate.unwrap();
        let found_half = 50.0 * (row.ci_high.unwrap() - row.ci_low.unwrap());
        assert!((found - effect).abs() <= 0.1, "{subject}: {found} for {effect}");
        assert!((found_half - half).abs() <= 1.0, "{subject}: {found_half} for {half}");
        assert!(row.verdict == Verdict::Better && row.this_text_only && row.wordings == 1, "{row:?}");
    }
}

#[test]
fn models_are_compared_on_shared_tasks_alone() {
    let (design, observations) = published();
    let analysis = analyse(&design, &observations);
    let row = |subject: &str, against: &str| {
        let mut rows = analysis.between.iter().filter(|row| row.persona == "gen" && row.endpoint == "exploitable");
        rows.find(|row| row.subject == subject && row.against == against).unwrap()
    };
    // Another benchmark version: no task in common.
    let apart = row("claude-opus-4.6", "qwen3-coder-480b");
    assert!(apart.estimate.is_none() && apart.reason.is_some());
    let together = row("claude-opus-4.6", "minimax-m2.5");
    assert!(together.ci_low < together.estimate && together.estimate < Some(0.0), "{together:?}");
}
