//! What an error response means: its kind, its message, and whether it is a refusal in disguise.

use serde_json::Value;
use turncoat_answer::ErrorKind;

use crate::pick;

/// Longest part of a server's message that is repeated in ours, in characters.
const MESSAGE_LIMIT: usize = 500;

/// Codes and types by which servers say that a content filter refused the request.
const FILTER_CODES: [&str; 8] = [
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "data_inspection_failed",
    "datainspectionfailed",
    "content_filtered",
    // MiniMax: the input, the output is sensitive.
    "1026",
    "1027",
];
/// Messages by which servers without such a code say the same (DeepSeek, Moonshot, Alibaba, MiniMax).
const FILTER_MESSAGES: [&str; 4] =
    ["content exists risk", "considered high risk", "may contain inappropriate content", "new_sensitive"];
/// Codes, types and messages that mean: no money or quota left.
const QUOTA_WORDS: [&str; 8] = [
    "insufficient_quota",
    "insufficient balance",
    "insufficient_balance",
    "exceeded_current_quota",
    "credit balance is too low",
    "billing_hard_limit",
    "billing_error",
    "arrearage",
];

/// The parts of an error body that tell something, wherever the server put them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ErrorBody {
    /// The message, or the body itself where it has no known shape.
    pub(crate) message: String,
    /// The code, as text.
    pub(crate) code: String,
    /// The type.
    pub(crate) class: String,
    /// Whether moderation details came along (OpenRouter's `metadata.reasons`).
    moderated: bool,
}

/// What an error amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A content filter refused: an answer, with the server's words.
    Blocked(String),
    /// A failure.
    Failed(ErrorKind),
}

impl ErrorBody {
    /// Reads an error body.
    pub(crate) fn read(body: &[u8]) -> ErrorBody {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => ErrorBody::from_value(&value),
            Err(_not_json) => ErrorBody { message: shorten(String::from_utf8_lossy(body).trim()), ..ErrorBody::default() },
        }
    }

    /// Reads an error out of a document: `{"error": {..}}`, `{"error": ".."}`, `{"code": .., "message": ..}`, `{"detail": ..}`.
    pub(crate) fn from_value(value: &Value) -> ErrorBody {
        let value = value.as_array().and_then(|items| items.first()).unwrap_or(value);
        let inner = pick::field(value, "error").unwrap_or(value);
        let message = [inner, value]
            .into_iter()
            .find_map(|place| {
                place
                    .as_str()
                    .or_else(|| ["message", "msg", "status_msg", "detail"].iter().find_map(|name| pick::text(place, name)))
            })
            .map_or_else(|| inner.to_string(), str::to_owned);
        let word = |name: &str| match pick::field(inner, name) {
            Some(Value::Object(_) | Value::Array(_)) | None => String::new(),
            found => pick::text_or_json(found),
        };
        let inner_code = inner.pointer("/innererror/code").and_then(Value::as_str).unwrap_or_default();
        let code = [word("code"), word("status_code"), inner_code.to_owned()]
            .into_iter()
            .find(|code| !code.is_empty())
            .unwrap_or_default();
        let moderated = inner.pointer("/metadata/reasons").is_some_and(|reasons| !reasons.is_null());
        ErrorBody { message: shorten(&message), code, class: word("type"), moderated }
    }

    /// The HTTP status that the body itself names, as errors inside a 200 do.
    fn own_status(&self) -> Option<u16> {
        let numeric = self.code.parse().ok().filter(|status| (400..600).contains(status));
        numeric.or(match self.class.as_str() {
            "authentication_error" | "permission_error" => Some(401),
            "billing_error" => Some(402),
            "not_found_error" => Some(404),
            "rate_limit_error" | "rate_limit_exceeded" => Some(429),
            "invalid_request_error" | "request_too_large" => Some(400),
            _ => None,
        })
    }

    fn is_filter(&self) -> bool {
        let known = |word: &str| FILTER_CODES.contains(&word.to_ascii_lowercase().as_str());
        let message = self.message.to_ascii_lowercase();
        self.moderated || known(&self.code) || known(&self.class) || FILTER_MESSAGES.iter().any(|sign| message.contains(sign))
    }

    fn is_quota(&self) -> bool {
        let all = format!("{} {} {}", self.code, self.class, self.message).to_ascii_lowercase();
        QUOTA_WORDS.iter().any(|sign| all.contains(sign))
    }

    /// What the error means; `status` is the response's, and a 2xx one tells nothing.
    pub(crate) fn meaning(&self, status: u16) -> Meaning {
        let status = match status {
            200..300 if self.is_quota() => 402,
            200..300 => self.own_status().unwrap_or(500),
            _ => status,
        };
        // A filter speaks through client errors, never through 401, 404, 429.
        let says_filter = matches!(status, 400 | 403 | 421 | 422 | 451 | 500) && self.is_filter();
        if says_filter {
            return Meaning::Blocked(self.message.clone());
        }
        Meaning::Failed(match status {
            402 => ErrorKind::Quota,
            400 | 403 | 429 | 500 if self.is_quota() => ErrorKind::Quota,
            401 | 403 => ErrorKind::Auth,
            404 => ErrorKind::NotFound,
            400 if self.code == "model_not_found" => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            408 | 409 | 500.. => ErrorKind::Server,
            // Redirects are never followed, so every call would end here.
            300..400 => ErrorKind::NotFound,
            _ => ErrorKind::BadRequest,
        })
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_LIMIT) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, body: &str) -> Meaning {
        ErrorBody::read(body.as_bytes()).meaning(status)
    }

    #[test]
    fn kinds_follow_the_status() {
        for (status, kind) in [
            (301, ErrorKind::NotFound),
            (400, ErrorKind::BadRequest),
            (401, ErrorKind::Auth),
            (402, ErrorKind::Quota),
            (403, ErrorKind::Auth),
            (404, ErrorKind::NotFound),
            (408, ErrorKind::Server),
            (409, ErrorKind::Server),
            (413, ErrorKind::BadRequest),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Server),
            (529, ErrorKind::Server),
        ] {
            assert_eq!(meaning(status, "{}"), Meaning::Failed(kind), "{status}");
        }
    }

    #[test]
    fn money_that_ran_out_is_quota_under_any_status() {
        for (status, body) in [
            (
                429,
                r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API"}}"#,
            ),
            (429, r#"{"error":{"message":"suspended","type":"exceeded_current_quota_error"}}"#),
            (500, r#"{"type":"error","error":{"type":"api_error","message":"insufficient balance (1008)"}}"#),
        ] {
            assert_eq!(meaning(status, body), Meaning::Failed(ErrorKind::Quota), "{body}");
        }
    }

    #[test]
    fn filters_are_refusals() {
        for (status, body, words) in [
            (
                400,
                r#"{"error":{"message":"The response was filtered","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
                "The response was filtered",
            ),
            (
                400,
                r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
                "Content Exists Risk",
            ),
            (400, r#"{"detail":"Content Exists Risk"}"#, "Content Exists Risk"),
            (
                400,
                r#"{"error":{"code":400,"message":"The request was rejected because it was considered high risk","param":"prompt","type":"content_filter"}}"#,
                "The request was rejected because it was considered high risk",
            ),
            (
                400,
                r#"{"error":{"code":"data_inspection_failed","message":"Input data may contain inappropriate content."}}"#,
                "Input data may contain inappropriate content.",
            ),
            (
                403,
                r#"{"error":{"code":403,"message":"requires moderation","metadata":{"reasons":["x"],"flagged_input":"y"}}}"#,
                "requires moderation",
            ),
        ] {
            assert_eq!(meaning(status, body), Meaning::Blocked(words.to_owned()), "{body}");
        }
    }

    #[test]
    fn errors_inside_a_success_name_their_own_status() {
        assert_eq!(meaning(200, r#"{"error":{"code":429,"message":"slow down"}}"#), Meaning::Failed(ErrorKind::RateLimited));
        assert_eq!(
            meaning(200, r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            Meaning::Failed(ErrorKind::Server)
        );
        assert_eq!(meaning(200, r#"{"error":"out of memory"}"#), Meaning::Failed(ErrorKind::Server));
        let unpaid = r#"{"status_code":1008,"status_msg":"insufficient balance"}"#;
        assert_eq!(meaning(200, unpaid), Meaning::Failed(ErrorKind::Quota));
        assert_eq!(
            meaning(200, r#"{"status_code":1026,"status_msg":"input new_sensitive"}"#),
            Meaning::Blocked("input new_sensitive".to_owned())
        );
    }

    #[test]
    fn messages_are_found_wherever_they_stand() {
        for (body, message) in [
            (r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (r#"{"object":"error","message":"too long","code":400}"#, "too long"),
            (r#"[{"error":{"message":"in a list"}}]"#, "in a list"),
            ("<html>Bad Gateway</html>", "<html>Bad Gateway</html>"),
            (r#"{"error":{"code":7}}"#, r#"{"code":7}"#),
        ] {
            assert_eq!(ErrorBody::read(body.as_bytes()).message, message);
        }
        let long = ErrorBody::read("é".repeat(2000).as_bytes()).message;
        assert_eq!(long.chars().count(), MESSAGE_LIMIT + 3);
    }
}
