//! The file's own chat template: the messages as the model was trained to see them.

use minijinja::{Environment, Error, ErrorKind, context};

use crate::error::ModelError;

/// Steps of the template's program at most; real templates take a few hundred.
const STEPS: u64 = 1_000_000;

/// A chat template.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    source: String,
}

impl ChatTemplate {
    /// Reads a template as `transformers` would: white space around blocks trimmed, Python's string methods at hand.
    pub(crate) fn new(source: &str) -> Result<Self, ModelError> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> Result<String, Error> {
            Err(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.template_from_str(source).map_err(|error| failed(&error))?;
        Ok(Self { environment, source: source.to_owned() })
    }

    /// The text of a conversation with one system and one user message, up to where the answer begins. `first` and `last` are the
    /// texts of the tokens that begin and end a sequence.
    pub(crate) fn render(&self, system: &str, user: &str, first: &str, last: &str) -> Result<String, ModelError> {
        let values = context! {
            messages => [context! { role => "system", content => system }, context! { role => "user", content => user }],
            add_generation_prompt => true,
            bos_token => first,
            eos_token => last,
        };
        self.environment.render_str(&self.source, values).map_err(|error| failed(&error))
    }
}

fn failed(error: &Error) -> ModelError {
    ModelError::Template(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str) -> Result<String, ModelError> {
        ChatTemplate::new(source)?.render("Be brief.", "Hi {{ 1 }} <b>", "<s>", "</s>")
    }

    #[test]
    fn messages_reach_the_text_word_for_word() {
        let source = "{{ bos_token }}{% for message in messages %}\n  {% if message['role'] == 'user' %}\n[{{ message['content'] }}]{{ eos_token }}\n  {% endif %}\n{% endfor %}\n{% if add_generation_prompt %}>{% endif %}";
        assert_eq!(render(source).unwrap(), "<s>[Hi {{ 1 }} <b>]</s>\n>");
    }

    #[test]
    fn python_methods_that_templates_use_work() {
        let source = "{{ messages[0]['content'].strip().upper() }} {{ messages[1].content.split(' ')[0] }} {{ messages[1].content | tojson }}";
        assert_eq!(render(source).unwrap(), r#"BE BRIEF. Hi "Hi {{ 1 }} \u003cb\u003e""#);
    }

    #[test]
    fn a_template_that_refuses_says_why() {
        let error = render("{{ raise_exception('System role not supported') }}").unwrap_err();
        assert!(error.to_string().contains("System role not supported"), "{error}");
    }

    #[test]
    fn a_broken_or_endless_template_is_an_error() {
        assert!(ChatTemplate::new("{% for %}").is_err());
        assert!(render("{% for a in range(9999) %}{% for b in range(9999) %}{{ a * b }}{% endfor %}{% endfor %}").is_err());
    }
}
