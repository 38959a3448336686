//! Subject presets: what is known about a model and how it is best asked.

use crate::source::{Document, Problems, Section};
use crate::subject::{About, Price, Provider};

/// A preset, `data/subjects/<name>.toml`. What is not known is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// What is known about the model.
    pub about: About,
    /// The dialect.
    pub provider: Option<Provider>,
    /// Where it is reached.
    pub base_url: Option<String>,
    /// The model id to send.
    pub model: Option<String>,
    /// The environment variable that usually holds the key.
    pub api_key_env: Option<String>,
    /// Recommended sampling.
    pub sampling: PartialSampling,
    /// The price, with its date in the notes.
    pub price: Option<Price>,
}

/// Sampling parameters as far as a file states them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartialSampling {
    /// Softmax temperature.
    pub temperature: Option<f64>,
    /// Nucleus mass.
    pub top_p: Option<f64>,
    /// Candidates kept.
    pub top_k: Option<u32>,
    /// Repetition penalty.
    pub repetition_penalty: Option<f64>,
    /// Longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Context window asked for, in tokens.
    pub context: Option<u32>,
}

impl PartialSampling {
    /// Reads the sampling fields of a table.
    pub(crate) fn read(section: &Section<'_>) -> Self {
        PartialSampling {
            temperature: section.number_if_any("temperature", 0.0..=5.0),
            top_p: section.number_if_any("top_p", 0.0..=1.0),
            top_k: section.count_if_any("top_k", 0..=1_000_000),
            repetition_penalty: section.number_if_any("repetition_penalty", 0.0..=10.0),
            max_tokens: section.count_if_any("max_tokens", 1..=10_000_000),
            context: section.count_if_any("context", 1..=100_000_000),
        }
    }
}

/// Reads the price of a table, `{ input, output }` in USD per million tokens.
pub(crate) fn read_price(section: &Section<'_>) -> Option<Price> {
    let bounds = 0.0..=1e6;
    let input = section.number_if_any("input", bounds.clone());
    let output = section.number_if_any("output", bounds);
    match (input, output) {
        (Some(input), Some(output)) => Some(Price { input, output }),
        _ => {
            section.report("", "a price needs `input` and `output`, in USD per million tokens", None);
            None
        }
    }
}

/// Reads a preset file.
///
/// # Errors
/// Every mistake in it, with its place.
pub fn parse(name: &str, file: &str, text: &str) -> Result<Preset, Problems> {
    let document = Document::parse(file, text);
    let preset = {
        let root = document.root();
        let _id = root.string("id");
        let provider = root.choice_if_any("provider", &Provider::ALL.map(Provider::name));
        let mut notes: Vec<String> = root.strings_if_any("notes").unwrap_or_default().into_iter().map(|(note, _)| note).collect();
        let sampling = root.section_if_any("sampling").map(|section| {
            let sampling = PartialSampling::read(&section);
            section.done();
            sampling
        });
        let price = root.section_if_any("price").and_then(|section| {
            let price = read_price(&section);
            if let Some(date) = section.string_if_any("as_of") {
                let source = section.string_if_any("source").unwrap_or_else(|| "unstated source".to_owned());
                notes.push(format!("price as of {date}: {source}"));
            }
            section.done();
            price
        });
        let preset = Preset {
            about: About {
                preset: Some(name.to_owned()),
                developer: root.string_if_any("developer"),
                owner: root.string_if_any("owner"),
                jurisdiction: root.string_if_any("jurisdiction"),
                licence: root.string_if_any("licence"),
                context: root.count_if_any("context", 1..=100_000_000),
                notes,
            },
            provider: Provider::ALL.into_iter().find(|one| Some(one.name()) == provider.as_deref()),
            base_url: root.string_if_any("base_url"),
            model: root.string_if_any("model"),
            api_key_env: root.string_if_any("api_key_env"),
            sampling: sampling.unwrap_or_default(),
            price,
        };
        let _licence_url = root.string_if_any("licence_url");
        root.done();
        preset
    };
    document.finish()?;
    Ok(preset)
}
