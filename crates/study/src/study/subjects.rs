//! The `[[subject]]` tables of a study.

use std::collections::BTreeMap;

use super::Reading;
use crate::preset::{self, PartialSampling, Preset};
use crate::source::{Section, Value};
use crate::subject::{About, Conduct, Endpoint, Provider, Sampling, SubjectSpec};

/// The model that provider `local` runs when none is named.
pub const LOCAL_MODEL: &str = "smollm2-135m-instruct";

/// Header names that carry credentials; keys come from the environment only.
const CREDENTIAL_HEADERS: [&str; 5] = ["authorization", "x-api-key", "api-key", "proxy-authorization", "cookie"];

impl Reading<'_> {
    pub(super) fn subjects(&mut self, root: &Section<'_>, budget_usd: Option<f64>) -> Vec<SubjectSpec> {
        let sections = root.sections("subject");
        if sections.is_empty() && self.document.is_clean() {
            root.report(
                "subject",
                "a study needs at least one [[subject]]",
                Some("for example: [[subject]] id = \"here\", provider = \"local\"".to_owned()),
            );
        }
        let mut subjects: Vec<SubjectSpec> = Vec::new();
        for section in sections {
            let spec = self.subject(&section, budget_usd);
            section.done();
            if let Some(spec) = spec {
                if subjects.iter().any(|other| other.id == spec.id) {
                    root.report("subject", format!("subject `{}` stands twice", spec.id), None);
                }
                subjects.push(spec);
            }
        }
        subjects
    }

    fn subject(&mut self, section: &Section<'_>, budget_usd: Option<f64>) -> Option<SubjectSpec> {
        let id = section.string("id");
        let preset = self.preset(section);
        let provider = section.choice_if_any("provider", &Provider::ALL.map(Provider::name));
        let provider = Provider::ALL
            .into_iter()
            .find(|one| Some(one.name()) == provider.as_deref())
            .or_else(|| preset.as_ref().and_then(|preset| preset.provider));
        // Every field is read in any case, so that it is not called unknown after another mistake.
        let base_url = section.string_if_any("base_url").or_else(|| preset.as_ref().and_then(|preset| preset.base_url.clone()));
        let model = section.string_if_any("model").or_else(|| preset.as_ref().and_then(|preset| preset.model.clone()));
        let config = section.string_if_any("config");
        let sampling = read_sampling(section, preset.as_ref());
        let omit = section.strings_if_any("omit").unwrap_or_default().into_iter().map(|(field, _)| field).collect();
        let headers = read_headers(section);
        let extra_body = section.section_if_any("extra_body").map(|body| {
            let fields = body.keys().into_iter().filter_map(|key| Some((key.to_owned(), body.get(key)?.value.to_json())));
            serde_json::Value::Object(fields.collect())
        });
        let stream = section.boolean_if_any("stream").unwrap_or(false);
        let prompt_check = section.boolean_if_any("prompt_check").unwrap_or(true);
        let conduct = read_conduct(section, preset.as_ref(), provider);
        let about = preset.map_or_else(About::default, |preset| preset.about);
        let Some(provider) = provider else {
            if section.get("provider").is_none() && section.get("preset").is_none() {
                let names = Provider::ALL.map(|one| format!("`{one}`")).join(", ");
                section.report("provider", format!("is missing; expected one of {names}, or a `preset`"), None);
            } else if section.get("provider").is_none() {
                section.report("provider", "the preset does not say how the model is reached; set `provider`", None);
            }
            return None;
        };
        let (base_url, model, config) = self.address(section, provider, base_url, model, config);
        if let (Some(_), false, None) = (budget_usd, provider.is_free(), conduct.price) {
            let help = "add price = { input = .., output = .. } in USD per million tokens, or take the budget out";
            section.report(
                "price",
                format!("the study has a budget in USD, and subject `{id}` has no price"),
                Some(help.to_owned()),
            );
        }
        let endpoint = Endpoint { provider, base_url, model, sampling, stream, omit, headers, extra_body, prompt_check, config };
        Some(SubjectSpec { id, endpoint, conduct, about })
    }

    fn preset(&mut self, section: &Section<'_>) -> Option<Preset> {
        let name = section.string_if_any("preset")?;
        match self.shelf.preset(&name) {
            Ok(text) => match preset::parse(&name, &text.file, &text.text) {
                Ok(preset) => Some(preset),
                Err(problems) => {
                    self.elsewhere.extend(problems.0);
                    None
                }
            },
            Err(error) => {
                section.report("preset", error.to_string(), error.help());
                None
            }
        }
    }

    /// What each provider must be told to be reached.
    fn address(
        &mut self,
        section: &Section<'_>,
        provider: Provider,
        base_url: Option<String>,
        model: Option<String>,
        config: Option<String>,
    ) -> (String, String, Option<String>) {
        match provider {
            Provider::Openai | Provider::Anthropic | Provider::Ollama => {
                if base_url.is_none() {
                    let help = "the address up to the dialect's own path, such as http://127.0.0.1:8000/v1";
                    section.report("base_url", format!("provider `{provider}` needs an address"), Some(help.to_owned()));
                }
                if model.is_none() {
                    section.report("model", format!("provider `{provider}` needs the model id to send"), None);
                }
                let base_url = base_url.unwrap_or_default();
                if !base_url.is_empty() && !base_url.starts_with("http://") && !base_url.starts_with("https://") {
                    section.report("base_url", "must start with http:// or https://", None);
                }
                (base_url.trim_end_matches('/').to_owned(), model.unwrap_or_default(), None)
            }
            Provider::Local => (String::new(), model.unwrap_or_else(|| LOCAL_MODEL.to_owned()), None),
            Provider::Mole => {
                let text = match config {
                    None => {
                        section.report("config", "provider `mole` needs `config`, the path of a mole.toml", None);
                        None
                    }
                    Some(path) => match self.shelf.file(&path) {
                        Ok(text) => Some(text.text),
                        Err(error) => {
                            section.report("config", error.to_string(), error.help());
                            None
                        }
                    },
                };
                (String::new(), model.unwrap_or_else(|| "mole".to_owned()), text)
            }
            Provider::Replay => {
                if config.is_none() {
                    section.report("config", "provider `replay` needs `config`, the ledger whose answers are given again", None);
                }
                (String::new(), model.unwrap_or_else(|| "replay".to_owned()), config)
            }
        }
    }
}

fn read_sampling(section: &Section<'_>, preset: Option<&Preset>) -> Sampling {
    let own = PartialSampling::read(section);
    let known = preset.map(|preset| preset.sampling.clone()).unwrap_or_default();
    Sampling {
        // Servers fill a missing temperature each in its own way, so it is always sent; `omit` drops it.
        temperature: own.temperature.or(known.temperature).or(Some(0.7)),
        top_p: own.top_p.or(known.top_p),
        top_k: own.top_k.or(known.top_k),
        repetition_penalty: own.repetition_penalty.or(known.repetition_penalty),
        max_tokens: own.max_tokens.or(known.max_tokens).unwrap_or(4096),
        context: own.context.or(known.context),
        stop: section.strings_if_any("stop").unwrap_or_default().into_iter().map(|(text, _)| text).collect(),
    }
}

fn read_headers(section: &Section<'_>) -> BTreeMap<String, String> {
    let Some(headers) = section.section_if_any("headers") else { return BTreeMap::new() };
    let mut read = BTreeMap::new();
    for name in headers.keys() {
        if CREDENTIAL_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            let help = "set `api_key_env` to the name of an environment variable; the header is made from it";
            headers.report(name, "credentials do not belong into a study file", Some(help.to_owned()));
        }
        if let Some(node) = headers.get(name) {
            if let Value::String(text) = &node.value {
                read.insert(name.to_owned(), text.clone());
            } else {
                headers.report(name, format!("expected a string, found {}", node.value.kind()), None);
            }
        }
    }
    read
}

fn read_conduct(section: &Section<'_>, preset: Option<&Preset>, provider: Option<Provider>) -> Conduct {
    let price = section.section_if_any("price").and_then(|section| {
        let price = preset::read_price(&section);
        let _as_of = section.string_if_any("as_of");
        section.done();
        price
    });
    let own_machine = provider == Some(Provider::Local);
    Conduct {
        api_key_env: section.string_if_any("api_key_env").or_else(|| preset.and_then(|preset| preset.api_key_env.clone())),
        concurrency: section.count_if_any("concurrency", 1..=100_000).unwrap_or(if own_machine { 1 } else { 8 }),
        requests_per_minute: section.count_if_any("requests_per_minute", 1..=100_000_000),
        tokens_per_minute: section.count_if_any("tokens_per_minute", 1..=2_000_000_000),
        timeout_s: section.count_if_any("timeout_s", 1..=86_400).unwrap_or(600),
        attempts: section.count_if_any("attempts", 1..=100).unwrap_or(5),
        price: price.or_else(|| preset.and_then(|preset| preset.price)),
    }
}
