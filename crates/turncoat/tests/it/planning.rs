//! `init` and `plan`: a study to start from, and what a study will take; nothing is called.

use crate::support::{Endpoint, Place, Study, study};

#[test]
fn init_writes_a_study_that_plan_accepts_and_never_overwrites_one() {
    let place = Place::new();
    let made = place.ok(&["init", "mine"]);
    assert!(made.out.is_empty(), "{made:?}");
    made.says(&["wrote mine/study.toml", "turncoat plan mine/study.toml", "turncoat run mine/study.toml"]);
    let plan = place.ok(&["plan", "mine/study.toml"]);
    assert!(plan.out.contains("first-look") && plan.out.contains("nothing was called"), "{plan:?}");
    let text = std::fs::read_to_string(place.path("mine/study.toml")).unwrap();
    assert!(text.lines().filter(|line| line.contains('#')).count() > 10, "the study is commented");
    place.run(&["init", "mine"]).refused(2, &["mine/study.toml is there already"]);
    assert_eq!(std::fs::read_to_string(place.path("mine/study.toml")).unwrap(), text);
}

#[test]
fn plan_prints_matrix_calls_tokens_and_cost_and_calls_nothing() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no");
    let priced = study::subject("house", &endpoint, "price = { input = 2.0, output = 10.0 }");
    let mut asked = Study::topics(&[priced, study::subject("other", &endpoint, "price = { input = 0.0, output = 0.0 }")]);
    asked.budget_usd = Some(0.05);
    asked.save(&place);
    let plan = place.ok(&["plan", "study.toml", "--format", "json"]).json();
    assert_eq!(plan["schema"], "turncoat.preview/1");
    assert_eq!(plan["study"], "small");
    assert_eq!(plan["plan_hash"].as_str().unwrap().len(), 64);
    assert_eq!((&plan["trials"], &plan["tasks"], &plan["repeats"]), (&32.into(), &4.into(), &1.into()));
    assert_eq!(plan["clusters"]["topic"], 2);
    assert_eq!(plan["placements"], serde_json::json!(["system"]));
    assert_eq!(plan["personas"][0], serde_json::json!({ "id": "neutral", "role": "baseline", "wordings": 2 }));
    assert_eq!(plan["personas"][1]["role"], "treatment");
    let house = &plan["subjects"][0];
    assert_eq!((&house["id"], &house["calls"]), (&"house".into(), &16.into()));
    let (input, output) = (house["input_tokens"].as_f64().unwrap(), house["output_tokens"].as_f64().unwrap());
    assert!(input > 16.0 * 50.0 && output > 0.0, "{house}");
    assert!((house["usd"].as_f64().unwrap() - (2.0 * input + 10.0 * output) / 1e6).abs() < 1e-6, "{house}");
    assert!(house["usd_bound"].as_f64() >= house["usd"].as_f64(), "{house}");
    assert_eq!(plan["subjects"][1]["usd"], 0.0);
    assert_eq!(plan["budget_usd"], 0.05);
    let detectable = &plan["minimum_detectable"];
    assert!(
        detectable["ratio"].is_null() && detectable["reason"].as_str().unwrap().contains("a verdict needs at least 10 and 8"),
        "{detectable}"
    );

    let shown = place.ok(&["plan", "study.toml"]).out;
    for text in ["2 subjects x 2 personas x 2 wordings x 4 tasks x 1 repeats", "house", "a hard stop", "nothing was called"] {
        assert!(shown.contains(text), "`{text}`\n{shown}");
    }
    assert_eq!(endpoint.count(), 0, "plan calls nothing");
    let written: Vec<_> = std::fs::read_dir(place.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(written.len(), 2, "plan writes nothing: {written:?}");
}

#[test]
fn the_built_in_study_of_the_published_figures_has_the_promised_size() {
    let plan = Place::new().ok(&["plan", "published-2026", "--format", "json"]).json();
    assert!(plan["trials"].as_u64().unwrap() >= 2_800, "{}", plan["trials"]);
    assert_eq!(plan["subjects"].as_array().unwrap().len(), 5);
    assert!(plan["subjects"].as_array().unwrap().iter().all(|row| row["usd"] == 0.0));
    assert!(plan["minimum_detectable"]["ratio"].as_f64().unwrap() > 1.0);
}
