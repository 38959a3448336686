//! A mole asked over real HTTP: its shares, its rules, its answers.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod http;
mod shares;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use turncoat_answer::Answer;
use turncoat_mole::{Mole, Running, parse};
use turncoat_study::suite::{self, SuiteFolder, TaskFolder};
use turncoat_study::{About, Conduct, Endpoint, Prompt, Provider, Sampling, SubjectSpec, Task, TaskFiles};
use turncoat_subject::{Call, Exchange, Subject, Surroundings, open};

/// The built-in suites, read from the files that ship with the program.
fn tasks(suites: &[&str]) -> Vec<Task> {
    suites.iter().flat_map(|suite| suite::parse(&folder(suite)).unwrap()).collect()
}

fn folder(name: &str) -> SuiteFolder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/suites").join(name);
    let mut found: Vec<_> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    let tasks = found.iter().map(|path| {
        let mut by_path = BTreeMap::new();
        collect(path, "", &mut by_path);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        TaskFolder { shown: name.clone(), name, files: TaskFiles { by_path } }
    });
    SuiteFolder {
        name: name.to_owned(),
        shown: name.to_owned(),
        tasks: tasks.filter(|task| task.files.by_path.contains_key("task.toml")).collect(),
    }
}

fn collect(path: &Path, prefix: &str, into: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), into);
        } else {
            into.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// One task of each file's content, made on the spot.
fn task(suite: &str, id: &str, toml: &str, files: &[(&str, &str)]) -> Task {
    let mut by_path: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    by_path.insert("task.toml".to_owned(), toml.as_bytes().to_vec());
    suite::parse_task(suite, &TaskFolder { name: id.to_owned(), shown: id.to_owned(), files: TaskFiles { by_path } }).unwrap()
}

async fn serve(config: &str, tasks: Vec<Task>) -> Running {
    let mole = Mole::new(parse("mole.toml", config).unwrap(), tasks).unwrap();
    Arc::new(mole).serve(TcpListener::bind("127.0.0.1:0").await.unwrap()).unwrap()
}

fn subject(running: &Running, stream: bool) -> Arc<dyn Subject> {
    let spec = SubjectSpec {
        id: "mole".to_owned(),
        endpoint: Endpoint {
            provider: Provider::Mole,
            base_url: String::new(),
            model: "mole".to_owned(),
            sampling: Sampling {
                temperature: None,
                top_p: None,
                top_k: None,
                repetition_penalty: None,
                max_tokens: 2048,
                context: None,
                stop: Vec::new(),
            },
            stream,
            omit: Vec::new(),
            headers: BTreeMap::new(),
            extra_body: None,
            prompt_check: true,
            config: None,
        },
        conduct: Conduct {
            api_key_env: None,
            concurrency: 64,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout_s: 60,
            attempts: 1,
            price: None,
        },
        about: About::default(),
    };
    let mut surroundings = Surroundings::new(Arc::new(|_: &str| None)).unwrap();
    surroundings.base_url = Some(running.base_url());
    open(&spec, &surroundings).unwrap()
}

fn call(system: &str, user: &str, seed: u32) -> Call {
    Call { prompt: Prompt { system: system.to_owned(), user: user.to_owned() }, seed, timeout: Duration::from_secs(60) }
}

async fn ask(running: &Running, system: &str, user: &str, seed: u32) -> Exchange {
    subject(running, false).ask(&call(system, user, seed)).await
}

/// Answers to the seeds from 0 on, 64 at once.
async fn ask_many(running: &Running, system: &str, user: &str, count: u32) -> Vec<Answer> {
    let subject = subject(running, false);
    let calls: Vec<Call> = (0..count).map(|seed| call(system, user, seed)).collect();
    futures_util::stream::iter(&calls)
        .map(|call| subject.ask(call))
        .buffered(64)
        .map(|exchange| exchange.result.unwrap())
        .collect()
        .await
}
