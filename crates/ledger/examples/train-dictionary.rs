//! Trains the dictionary that bodies are compressed with, from the project's own texts alone: exchanges such as a study
//! makes, composed of the personas, prompts and reference solutions under `data/`. The same data give the same bytes.
//!
//! `cargo run -p turncoat-ledger --example train-dictionary -- crates/ledger/dictionary/1.zstd-dictionary`

#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a tool for developers of this crate")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use turncoat_answer::{Answer, Finish, Usage};

/// Size of the dictionary in bytes.
const SIZE: usize = 64 * 1024;

/// How many exchanges are made of each reference, in different personas' words. With one or two, the trainer finds too little
/// that repeats and leaves most of the dictionary empty.
const TURNS: usize = 3;

fn main() {
    let target = std::env::args().nth(1).unwrap_or_else(|| "crates/ledger/dictionary/1.zstd-dictionary".to_owned());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data");
    let systems = persona_texts(&data.join("personas"));
    let mut samples = Vec::new();
    for task in task_folders(&data.join("suites")) {
        let prompt = text_between(&fs::read_to_string(task.join("task.toml")).unwrap(), "prompt = \"\"\"", "\"\"\"");
        for (index, code) in references(&task.join("reference")).into_iter().enumerate() {
            for turn in 0..TURNS {
                let number = samples.len();
                let system = &systems[(number * 7 + turn) % systems.len()];
                samples.push(exchange(number, system, &prompt, &code, (index + turn) % 4));
            }
        }
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE).unwrap();
    fs::write(&target, &dictionary).unwrap();

    let raw: usize = samples.iter().map(Vec::len).sum();
    let packed = |dictionary: &[u8]| -> usize {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap();
        samples.iter().map(|sample| compressor.compress(sample).unwrap().len()).sum()
    };
    println!("{} samples of {raw} bytes; without a dictionary {}, with it {}", samples.len(), packed(&[]), packed(&dictionary));
}

/// A request, its response and the parsed answer in the shape of one of the dialects.
fn exchange(number: usize, system: &str, prompt: &str, code: &str, dialect: usize) -> Vec<u8> {
    let openings = ["", "Here is the implementation:\n\n", "Below is a complete version that meets the specification.\n\n"];
    let endings = [
        "",
        "\n\nThe function opens its resources, does its work and closes them again.",
        "\n\n**Notes**\n\n- Errors are raised to the caller.\n- No further packages are needed.",
    ];
    let text = format!("{}```python\n{}\n```{}", openings[number % 3], code.trim_end(), endings[number / 3 % 3]);
    let (tokens_in, tokens_out) = (prompt.len() / 4, text.len() / 4);
    let seed = number.wrapping_mul(2_654_435_761) & 0x7fff_ffff;
    let messages = json!([{ "role": "system", "content": system }, { "role": "user", "content": prompt }]);
    let (request, response, reasoning): (Value, Value, Option<&str>) = match dialect {
        0 | 3 => (
            json!({ "model": "qwen3-coder-30b-a3b", "messages": messages, "max_tokens": 4096, "seed": seed, "stream": false, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05 }),
            json!({ "id": format!("chatcmpl-{seed:x}"), "object": "chat.completion", "created": 1_790_000_000 + number, "model": "qwen3-coder-30b-a3b",
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": text, "reasoning_content": null, "refusal": null, "tool_calls": [] }, "logprobs": null, "finish_reason": "stop", "stop_reason": null }],
                "usage": { "prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out, "prompt_tokens_details": { "cached_tokens": 0 }, "completion_tokens_details": { "reasoning_tokens": 0 } }, "service_tier": null, "system_fingerprint": null }),
            (dialect == 3).then_some("The user wants a function. Let me think about the signature and the edge cases first."),
        ),
        1 => (
            json!({ "model": "claude-opus-4-6", "max_tokens": 4096, "system": system, "messages": [{ "role": "user", "content": prompt }], "temperature": 1.0 }),
            json!({ "id": format!("msg_{seed:x}"), "type": "message", "role": "assistant", "model": "claude-opus-4-6", "content": [{ "type": "text", "text": text }], "stop_reason": "end_turn", "stop_sequence": null,
                "usage": { "input_tokens": tokens_in, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": tokens_out, "service_tier": "standard" } }),
            None,
        ),
        _ => (
            json!({ "model": "qwen3-coder:30b", "messages": messages, "stream": false, "options": { "temperature": 0.7, "top_p": 0.8, "seed": seed, "num_predict": 4096, "num_ctx": 16384 } }),
            json!({ "model": "qwen3-coder:30b", "created_at": "2026-11-24T10:00:00.000000000Z", "message": { "role": "assistant", "content": text }, "done_reason": "stop", "done": true,
                "total_duration": 5_000_000_000_u64 + number as u64, "load_duration": 50_000_000, "prompt_eval_count": tokens_in, "prompt_eval_duration": 100_000_000, "eval_count": tokens_out, "eval_duration": 4_000_000_000_u64 }),
            None,
        ),
    };
    let answer = Answer {
        text,
        reasoning: reasoning.map(str::to_owned),
        tool_calls: Vec::new(),
        finish: Finish::Stop,
        blocked: None,
        usage: Usage { input: Some(tokens_in as u64), output: Some(tokens_out as u64), ..Usage::default() },
        served_model: Some("qwen3-coder-30b-a3b".to_owned()),
        fingerprint: None,
        request_id: Some(format!("chatcmpl-{seed:x}")),
        latency_ms: 0,
    };
    [request.to_string(), response.to_string(), serde_json::to_string(&answer).unwrap()].concat().into_bytes()
}

/// The wordings' texts, in order of file and place.
fn persona_texts(folder: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for file in sorted(folder) {
        let file = fs::read_to_string(file).unwrap();
        texts.extend(file.split("\ntext = \"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    texts
}

/// The folders of all tasks, in order.
fn task_folders(suites: &Path) -> Vec<PathBuf> {
    sorted(suites).iter().flat_map(|suite| sorted(suite)).filter(|task| task.join("task.toml").is_file()).collect()
}

/// The texts of all references of a task, in order; of a topic task, which has none, a short stand-in.
fn references(folder: &Path) -> Vec<String> {
    let files = if folder.is_dir() { sorted(folder) } else { Vec::new() };
    let texts: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    if texts.is_empty() {
        vec!["def main() -> None:\n    print(\"ready\")\n\n\nif __name__ == \"__main__\":\n    main()\n".to_owned()]
    } else {
        texts
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn text_between(text: &str, start: &str, end: &str) -> String {
    text.split(start).nth(1).and_then(|rest| rest.split(end).next()).unwrap_or_default().to_owned()
}
