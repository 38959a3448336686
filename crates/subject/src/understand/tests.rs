//! No response, however it is cut or garbled, makes the reading fail, and no cut one passes for a whole answer.

use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;
use crate::anthropic::Anthropic;
use crate::ollama::Ollama;
use crate::openai::Openai;

/// A whole document and a whole stream of each dialect; the stream is whole from `end` on.
const SAMPLES: [(&str, &str, &str, &str); 3] = [
    (
        "openai",
        r#"{"choices":[{"index":0,"message":{"content":"a \"b\" é","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#,
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        "\"finish_reason\":\"stop\"}]}",
    ),
    (
        "anthropic",
        r#"{"type":"message","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1}}"#,
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":\"message\",\"content\":[]}}\n\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
        "\"stop_reason\":\"end_turn\"}}",
    ),
    (
        "ollama",
        r#"{"model":"m","message":{"content":"a","thinking":"t"},"done":true,"done_reason":"stop","prompt_eval_count":1}"#,
        "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"message\":{\"content\":\"b\"},\"done\":true,\"done_reason\":\"stop\"}\n",
        "\"done_reason\":\"stop\"}",
    ),
];

fn understand(dialect: &str, status: u16, body: &[u8]) -> Result<Answer, CallFailure> {
    let head = Head { status, headers: HeaderMap::new() };
    let arrived = Arrived { head: &head, body, broken: None, latency_ms: 1, now: UNIX_EPOCH };
    match dialect {
        "openai" => arrived.understand(&Openai),
        "anthropic" => arrived.understand(&Anthropic),
        _ => arrived.understand(&Ollama),
    }
}

#[test]
fn a_document_cut_anywhere_is_broken() {
    for (dialect, document, _, _) in SAMPLES {
        for end in 0..document.len() {
            let cut = understand(dialect, 200, &document.as_bytes()[..end]);
            assert_eq!(cut.map_err(|failure| failure.kind), Err(ErrorKind::Broken), "{dialect} at {end}");
        }
        assert!(understand(dialect, 200, document.as_bytes()).is_ok());
    }
}

#[test]
fn a_stream_cut_before_its_end_is_broken_and_one_cut_after_it_is_whole() {
    for (dialect, _, stream, end_mark) in SAMPLES {
        let whole_from = stream.find(end_mark).unwrap() + end_mark.len();
        for end in 1..=stream.len() {
            let read = understand(dialect, 200, &stream.as_bytes()[..end]);
            // The very first bytes may still be anything.
            if end < whole_from {
                assert!(read.is_err(), "{dialect} at {end}");
            } else {
                assert!(read.is_ok(), "{dialect} at {end}: {read:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn garbled_responses_are_read_or_refused(
        sample in 0..SAMPLES.len(),
        streamed in any::<bool>(),
        status in prop::sample::select(vec![200_u16, 204, 301, 400, 401, 403, 429, 500, 529]),
        at in any::<prop::sample::Index>(),
        length in 0..20_usize,
        garble in "[\\[\\]{}\",:0-9a-z\\\\ \n-]{0,16}",
    ) {
        let (dialect, document, stream, _) = SAMPLES[sample];
        let text = if streamed { stream } else { document };
        let mut bytes = text.as_bytes().to_vec();
        let from = at.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, garble.bytes());
        if let Err(failure) = understand(dialect, status, &bytes) {
            prop_assert!(!failure.message.is_empty());
        }
    }
}
