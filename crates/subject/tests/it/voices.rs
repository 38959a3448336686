//! How each dialect says the same things.

use turncoat_study::Provider;

pub(crate) struct Voice {
    pub(crate) provider: Provider,
    /// The request line and key header that must go out for a base address that ends in `/v1`.
    pub(crate) line: &'static str,
    pub(crate) key: String,
    /// Text `print(1)`, 11 tokens in, 7 out, model `coder-7b-0324`.
    pub(crate) success: &'static str,
    /// The same as a stream.
    pub(crate) stream: &'static str,
    /// The last piece of `stream` that a whole answer cannot do without.
    pub(crate) stream_end: &'static str,
    /// Reasoning `plan it` in a field of its own.
    pub(crate) reasoning: &'static str,
    /// A refusal that the server marks.
    pub(crate) blocked: &'static str,
    pub(crate) blocked_words: &'static str,
    /// An answer without text.
    pub(crate) empty: &'static str,
    /// An answer that met the token limit.
    pub(crate) cut: &'static str,
    /// A tool call `run({"a":1})`.
    pub(crate) tool: &'static str,
    /// Success with fields nobody knows, nulls, numbers in quotes and an odd finish reason `vendor_reason`.
    pub(crate) odd: &'static str,
    /// An error body with the message `something is wrong`.
    pub(crate) error: &'static str,
}

pub(crate) fn voices() -> [Voice; 3] {
    [openai(), anthropic(), ollama()]
}

fn openai() -> Voice {
    Voice {
        provider: Provider::Openai,
        line: "POST /v1/chat/completions HTTP/1.1",
        key: format!("authorization: Bearer {}", super::KEY),
        success: r#"{"id":"c1","object":"chat.completion","model":"coder-7b-0324","system_fingerprint":"fp_1","choices":[{"index":0,"message":{"role":"assistant","content":"print(1)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}"#,
        stream: concat!(
            ": OPENROUTER PROCESSING\n\n",
            r#"data: {"id":"c1","model":"coder-7b-0324","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            "\n\n",
            r#"data: {"choices":[{"index":0,"delta":{"content":"print"},"finish_reason":null}],"usage":null}"#,
            "\r\n\r\n",
            r#"data: {"choices":[{"index":0,"delta":{"content":"(1)"}}]}"#,
            "\n\n",
            r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            "\n\n",
            r#"data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7}}"#,
            "\n\ndata: [DONE]\n\n",
        ),
        stream_end: r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        reasoning: r#"{"choices":[{"message":{"content":"print(1)","reasoning_content":"plan it"},"finish_reason":"stop"}]}"#,
        blocked: r#"{"choices":[{"message":{"content":null,"refusal":"I can't help with that."},"finish_reason":"stop"}]}"#,
        blocked_words: "I can't help with that.",
        empty: r#"{"choices":[{"message":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":0}}"#,
        cut: r#"{"choices":[{"message":{"content":"def f("},"finish_reason":"length"}]}"#,
        tool: r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"run","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}]}"#,
        odd: r#"{"id":7,"model":null,"service_tier":"on_demand","choices":[{"index":"0","message":{"role":null,"content":"print(1)","audio":null,"annotations":[{}],"tool_calls":null,"function_call":null,"refusal":null},"logprobs":{},"finish_reason":"vendor_reason","stop_reason":151645}],"usage":{"prompt_tokens":"11","completion_tokens":7.0,"cost":"0.00012","prompt_tokens_details":null},"x":[1,{"y":null}],"error":null}"#,
        error: r#"{"error":{"message":"something is wrong","type":"t","param":null,"code":null}}"#,
    }
}

fn anthropic() -> Voice {
    Voice {
        provider: Provider::Anthropic,
        line: "POST /v1/messages HTTP/1.1",
        key: format!("x-api-key: {}", super::KEY),
        success: r#"{"id":"msg_1","type":"message","role":"assistant","model":"coder-7b-0324","content":[{"type":"text","text":"print(1)"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":11,"output_tokens":7}}"#,
        stream: concat!(
            "event: message_start\n",
            r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"coder-7b-0324","content":[],"stop_reason":null,"usage":{"input_tokens":11,"output_tokens":1}}}"#,
            "\n\nevent: content_block_start\n",
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            "\n\nevent: ping\n",
            r#"data: {"type":"ping"}"#,
            "\n\nevent: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"print"}}"#,
            "\n\nevent: content_block_delta\n",
            r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"(1)"}}"#,
            "\n\nevent: content_block_stop\n",
            r#"data: {"type":"content_block_stop","index":0}"#,
            "\n\nevent: message_delta\n",
            r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}}"#,
            "\n\nevent: message_stop\n",
            r#"data: {"type":"message_stop"}"#,
            "\n\n",
        ),
        stream_end: r#"data: {"type":"message_delta","#,
        reasoning: r#"{"type":"message","content":[{"type":"thinking","thinking":"plan it","signature":"s"},{"type":"redacted_thinking","data":"z"},{"type":"text","text":"print(1)"}],"stop_reason":"end_turn"}"#,
        blocked: r#"{"type":"message","content":[],"stop_reason":"refusal","usage":{"input_tokens":11,"output_tokens":1}}"#,
        blocked_words: "refusal",
        empty: r#"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":11,"output_tokens":0}}"#,
        cut: r#"{"type":"message","content":[{"type":"text","text":"def f("}],"stop_reason":"max_tokens"}"#,
        tool: r#"{"type":"message","content":[{"type":"tool_use","id":"t","name":"run","input":{"a":1}}],"stop_reason":"tool_use"}"#,
        odd: r#"{"id":7,"type":"message","model":null,"container":null,"content":[{"type":"novelty","x":1},{"type":"text","text":"print(1)","citations":null}],"stop_reason":"vendor_reason","usage":{"input_tokens":"11","output_tokens":7.0,"cache_read_input_tokens":null,"service_tier":"x"}}"#,
        error: r#"{"type":"error","error":{"type":"t","message":"something is wrong"},"request_id":"r"}"#,
    }
}

fn ollama() -> Voice {
    Voice {
        provider: Provider::Ollama,
        line: "POST /v1/api/chat HTTP/1.1",
        key: format!("authorization: Bearer {}", super::KEY),
        success: r#"{"model":"coder-7b-0324","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"print(1)"},"done_reason":"stop","done":true,"prompt_eval_count":11,"eval_count":7}"#,
        stream: concat!(
            r#"{"model":"coder-7b-0324","message":{"role":"assistant","content":"print"},"done":false}"#,
            "\n",
            r#"{"model":"coder-7b-0324","message":{"role":"assistant","content":"(1)"},"done":false}"#,
            "\n",
            r#"{"model":"coder-7b-0324","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":11,"eval_count":7}"#,
            "\n",
        ),
        stream_end: r#"{"model":"coder-7b-0324","message":{"role":"assistant","content":""}"#,
        reasoning: r#"{"message":{"content":"print(1)","thinking":"plan it"},"done":true,"done_reason":"stop"}"#,
        blocked: r#"{"message":{"content":""},"done":true,"done_reason":"content_filter"}"#,
        blocked_words: "content_filter",
        empty: r#"{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":11}"#,
        cut: r#"{"message":{"content":"def f("},"done":true,"done_reason":"length"}"#,
        tool: r#"{"message":{"content":"","tool_calls":[{"function":{"name":"run","arguments":{"a":1}}}]},"done":true,"done_reason":"tool_calls"}"#,
        odd: r#"{"model":null,"message":{"role":null,"content":"print(1)","images":null,"tool_calls":null},"done":true,"done_reason":"vendor_reason","prompt_eval_count":"11","eval_count":7.0,"context":[1,2],"load_duration":null}"#,
        error: r#"{"error":"something is wrong"}"#,
    }
}
