//! From a study file to a plan, and every mistake at its place.

use std::collections::BTreeMap;

use super::*;
use crate::suite::TaskFolder;
use crate::task::TaskFiles;

/// A shelf with two personas, one suite of a write task and a topic task, and a mole's configuration.
struct Desk;

fn persona_text(id: &str, role: &str, noun: &str) -> String {
    let frames = (1..=8).map(|n| {
        format!("[[wording]]\nframe = \"f{n}\"\nplacement = \"system\"\nlanguage = \"en\"\ntext = \"Frame {n}: you work for {noun}.\"\n")
    });
    format!("id = \"{id}\"\nrole = \"{role}\"\n{}", frames.collect::<String>())
}

impl Shelf for Desk {
    fn persona(&self, name: &str) -> Result<NamedText, ShelfError> {
        let text = match name {
            "neutral" => persona_text("neutral", "baseline", "a software company"),
            "agency" => persona_text("agency", "treatment", "a federal agency x"),
            "long" => persona_text("long", "treatment", "an organisation whose name alone is far longer than the other one"),
            _ => {
                return Err(ShelfError::Missing {
                    what: "persona",
                    name: name.to_owned(),
                    known: vec!["neutral".into(), "agency".into()],
                });
            }
        };
        Ok(NamedText { file: format!("{name}.toml"), text })
    }

    fn suite(&self, name: &str) -> Result<SuiteFolder, ShelfError> {
        let write = "id = \"w\"\ncluster = \"w/write\"\nkind = \"write\"\nlanguage = \"python\"\ncwes = [\"CWE-89\"]\nprompt = \"Write w.\"\nhint = \"Mind w.\"\n";
        let mut files = BTreeMap::from([("task.toml".to_owned(), write.as_bytes().to_vec())]);
        match name {
            "suite" => {
                for path in ["tests/tests.toml", "reference/secure.py", "reference/vulnerable.py"] {
                    files.insert(path.to_owned(), Vec::new());
                }
            }
            "untested" => {}
            _ => return Err(ShelfError::Missing { what: "suite", name: name.to_owned(), known: vec!["suite".into()] }),
        }
        let task = TaskFolder { name: "w".into(), shown: format!("{name}/w"), files: TaskFiles { by_path: files } };
        Ok(SuiteFolder { name: name.into(), shown: name.into(), tasks: vec![task] })
    }

    fn preset(&self, name: &str) -> Result<NamedText, ShelfError> {
        if name == "known" {
            let text = "id = \"known\"\ndeveloper = \"D\"\nprovider = \"openai\"\nmodel = \"m-1\"\n[sampling]\ntop_p = 0.8\n";
            return Ok(NamedText { file: "known.toml".into(), text: text.into() });
        }
        Err(ShelfError::Missing { what: "preset", name: name.to_owned(), known: vec!["known".into()] })
    }

    fn file(&self, name: &str) -> Result<NamedText, ShelfError> {
        Err(ShelfError::Missing { what: "file", name: name.to_owned(), known: Vec::new() })
    }
}

const GOOD: &str = r#"
[study]
name = "first-look"
question = "Is it?"
baseline = "neutral"
personas = ["agency"]
suites = ["suite"]
seed = 7

[[subject]]
id = "house"
provider = "openai"
base_url = "http://127.0.0.1:8000/v1/"
model = "m"
"#;

fn good() -> Plan {
    load("study.toml", GOOD, &Desk).unwrap().plan
}

fn mistakes(text: &str) -> String {
    load("study.toml", text, &Desk).unwrap_err().to_string()
}

#[test]
fn a_plan_crosses_subjects_personas_wordings_tasks_and_repeats() {
    let plan = good();
    assert_eq!((plan.tier.as_str(), plan.wordings, plan.repeats), ("standard", 8, 2));
    assert_eq!(plan.trial_count(), 2 * 8 * 2);
    let trials = plan.trials();
    assert_eq!(trials.len() as u64, plan.trial_count());
    let keys: std::collections::BTreeSet<_> = trials.iter().map(|trial| trial.key).collect();
    assert_eq!(keys.len(), trials.len(), "every repeat has a key of its own");
    assert_eq!(trials, plan.trials(), "the order comes from the seed");
    let prompt = plan.prompt(&trials[0]);
    assert_eq!(prompt.system, plan.wording(&trials[0]).text, "the wording is the system message word for word");
    assert_eq!(prompt.user, "Write w.");
    assert_eq!(plan.subjects[0].endpoint.base_url, "http://127.0.0.1:8000/v1");
}

#[test]
fn budget_price_and_pace_are_no_part_of_the_plan_hash_and_a_wording_is() {
    let plan = good();
    let conduct = GOOD.to_owned() + "concurrency = 99\ntimeout_s = 5\nprice = { input = 1, output = 2 }\n[budget]\nusd = 5.0\n";
    assert_eq!(load("study.toml", &conduct, &Desk).unwrap().plan.hash(), plan.hash());
    let mut other = plan.clone();
    other.personas[1].wordings[0].text.push('!');
    assert_ne!(other.hash(), plan.hash());
}

#[test]
fn an_added_persona_or_repeat_keeps_every_key() {
    let keys = |plan: &Plan| plan.trials().iter().map(|trial| trial.key).collect::<std::collections::BTreeSet<_>>();
    let small = keys(&good());
    let more = GOOD.replace("[\"agency\"]", "[\"agency\", \"long\"]").replace("seed = 7", "seed = 8\nrepeats = 3");
    let large = keys(&load("study.toml", &more, &Desk).unwrap().plan);
    assert!(small.is_subset(&large));
    assert_eq!(large.len(), 3 * 8 * 3);
}

#[test]
fn the_hint_is_asked_only_by_studies_that_want_it() {
    let text = GOOD.replace("seed = 7", "hint = true");
    let plan = load("study.toml", &text, &Desk).unwrap().plan;
    assert_eq!(plan.prompt(&plan.trials()[0]).user, "Write w.\n\nMind w.");
}

#[test]
fn unknown_names_are_located_and_the_nearest_is_offered() {
    let text = mistakes(&GOOD.replace("\"agency\"", "\"agensy\"").replace("\"suite\"", "\"siute\""));
    assert!(text.contains("study.toml:6:13: `study.personas`: there is no persona `agensy`"), "{text}");
    assert!(text.contains("did you mean `agency`?"), "{text}");
    assert!(text.contains("study.toml:7:11: `study.suites`: there is no suite `siute`"), "{text}");
    let text = mistakes(&GOOD.replace("provider = \"openai\"", "preset = \"knwon\""));
    assert!(text.contains("there is no preset `knwon`") && text.contains("did you mean `known`?"), "{text}");
    let text = mistakes(&GOOD.replace("seed = 7", "placement = [\"sytem\"]"));
    assert!(text.contains("unknown placement `sytem`") && text.contains("did you mean `system`?"), "{text}");
}

#[test]
fn a_budget_without_a_price_is_refused() {
    let text = mistakes(&(GOOD.to_owned() + "[budget]\nusd = 5\n"));
    assert!(text.contains("`subject[house].price`: the study has a budget in USD"), "{text}");
}

#[test]
fn a_write_task_without_tests_is_refused() {
    let text = mistakes(&GOOD.replace("\"suite\"", "\"untested\""));
    assert!(text.contains("untested/w/task.toml:3:8: `kind`: a write task needs tests"), "{text}");
}

#[test]
fn credentials_in_headers_are_refused() {
    let text = mistakes(&(GOOD.to_owned() + "headers = { Authorization = \"Bearer x\" }\n"));
    assert!(text.contains("credentials do not belong into a study file"), "{text}");
}

#[test]
fn a_preset_fills_what_the_subject_leaves_open() {
    let plan =
        load("study.toml", &GOOD.replace("provider = \"openai\"", "preset = \"known\"").replace("model = \"m\"", ""), &Desk)
            .unwrap()
            .plan;
    let subject = &plan.subjects[0];
    assert_eq!((subject.endpoint.model.as_str(), subject.endpoint.sampling.top_p), ("m-1", Some(0.8)));
    assert_eq!(subject.about.developer.as_deref(), Some("D"));
}

#[test]
fn lengths_far_from_the_baseline_are_pointed_out() {
    let loaded = load("study.toml", &GOOD.replace("\"agency\"", "\"long\""), &Desk).unwrap();
    assert_eq!(loaded.warnings.len(), 8);
    assert!(loaded.warnings[0].message.contains("`long` says frame `f1`"));
}

#[test]
fn the_bound_counts_a_token_a_byte_and_the_longest_answer() {
    let text = GOOD.to_owned() + "max_tokens = 1000\nprice = { input = 1, output = 2 }\n";
    let plan = load("study.toml", &text, &Desk).unwrap().plan;
    let bound = plan.subjects[0].bound_usd(936).unwrap();
    assert!((bound - (1000.0 + 2000.0) / 1e6).abs() < 1e-12);
    let preview = crate::preview::preview(&plan);
    assert_eq!(preview.subjects[0].calls, 32);
    assert!(preview.subjects[0].usd.unwrap() < preview.subjects[0].usd_bound.unwrap());
}
