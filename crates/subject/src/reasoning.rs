//! Reasoning that a model writes into its text, taken apart from what it says.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Splits a text into what is said and the reasoning before it; `None` where there is no reasoning.
///
/// Reasoning is a leading `<think>` block, closed or not, or, where the chat template itself wrote the opening tag, all that stands
/// before the first `</think>` on a line of its own. A tag anywhere else belongs to the text.
pub(crate) fn split(text: &str) -> Option<(String, String)> {
    if !text.contains("think>") {
        return None;
    }
    let (mut rest, mut reasoning) = (text, Vec::new());
    while let Some(inner) = rest.trim_start().strip_prefix(OPEN) {
        let (thought, after) = inner.split_once(CLOSE).unwrap_or((inner, ""));
        reasoning.push(thought.trim());
        rest = after;
    }
    if reasoning.is_empty()
        && let Some((thought, after)) = unopened(rest)
    {
        reasoning.push(thought.trim());
        rest = after;
    }
    if reasoning.is_empty() {
        return None;
    }
    Some((rest.trim_start().to_owned(), reasoning.join("\n\n")))
}

/// The two sides of a `</think>` that stands alone on its line and was never opened.
fn unopened(text: &str) -> Option<(&str, &str)> {
    let (before, after) = text.split_once(CLOSE)?;
    let starts_line = before.is_empty() || before.ends_with('\n');
    let ends_line = after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n");
    (starts_line && ends_line && !before.contains(OPEN)).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::split;

    fn check(text: &str, said: &str, reasoning: &str) {
        assert_eq!(split(text), Some((said.to_owned(), reasoning.to_owned())), "{text:?}");
    }

    #[test]
    fn takes_a_leading_block_out() {
        check("<think>\nplan\n</think>\n\nprint(1)", "print(1)", "plan");
        check("  \n<think>a</think><think>b</think>c", "c", "a\n\nb");
        check("<think>\n\n</think>\n\nyes", "yes", "");
    }

    #[test]
    fn an_unclosed_block_leaves_no_text() {
        check("<think>still thinking when the tokens ran out", "", "still thinking when the tokens ran out");
    }

    #[test]
    fn a_block_opened_by_the_template_ends_at_its_own_line() {
        check("plan\n</think>\n\nprint(1)", "print(1)", "plan");
        check("</think>\nprint(1)", "print(1)", "");
    }

    #[test]
    fn tags_in_the_text_stay() {
        for text in
            ["I strip `<think>` and `</think>` here", "code: re.sub('<think>.*</think>', '', s)", "a <think>b</think> c", "none"]
        {
            assert_eq!(split(text), None, "{text:?}");
        }
    }
}
