//! What each dialect sends, and what it understands of an answer.

use serde_json::json;
use turncoat_answer::{ErrorKind, Finish, ToolCall};
use turncoat_study::Provider;

use super::server::{Server, chunked, json as document, response};
use super::voices::voices;
use super::{answer, ask, failure, spec, try_open};

async fn answered(provider: Provider, status: u16, body: &str) -> turncoat_answer::Answer {
    let server = Server::answering(document(status, body)).await;
    answer(ask(&spec(provider, &server.base_url())).await)
}

#[tokio::test]
async fn success_is_read_whole_and_kept_exactly() {
    for voice in voices() {
        let server = Server::answering(response(
            200,
            "content-type: application/json\r\nx-request-id: req-9\r\n",
            voice.success.as_bytes(),
        ))
        .await;
        let exchange = ask(&spec(voice.provider, &server.base_url())).await;
        let request = server.only_request();
        assert_eq!(request.line, voice.line);
        assert!(request.head.contains(&voice.key), "{}", request.head);
        assert!(request.head.contains("content-type: application/json") && request.head.contains("user-agent: turncoat/"));
        assert_eq!(exchange.request, request.body);
        assert_eq!(exchange.response, voice.success.as_bytes());
        assert_eq!(exchange.status, Some(200));
        let answer = answer(exchange);
        assert_eq!(answer.text, "print(1)");
        assert_eq!((answer.reasoning, answer.blocked), (None, None));
        assert_eq!(answer.finish, Finish::Stop);
        assert_eq!((answer.usage.input, answer.usage.output), (Some(11), Some(7)));
        assert_eq!(answer.served_model.as_deref(), Some("coder-7b-0324"));
        assert_eq!(answer.request_id.as_deref(), Some("req-9"));
    }
}

#[tokio::test]
async fn documents_and_streams_are_read_whatever_was_asked() {
    for voice in voices() {
        for asked in [false, true] {
            for script in [
                document(200, voice.success),
                chunked(voice.stream, 1, true),
                chunked(voice.stream, 7, true),
                chunked(voice.stream, 4096, true),
            ] {
                let server = Server::answering(script).await;
                let mut spec = spec(voice.provider, &server.base_url());
                spec.endpoint.stream = asked;
                let exchange = ask(&spec).await;
                assert_eq!(server.only_request().json()["stream"], json!(asked));
                let answer = answer(exchange);
                assert_eq!((answer.text.as_str(), answer.finish), ("print(1)", Finish::Stop), "{}", voice.provider);
                assert_eq!((answer.usage.input, answer.usage.output), (Some(11), Some(7)), "{}", voice.provider);
                assert_eq!(answer.served_model.as_deref(), Some("coder-7b-0324"));
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_too_early_is_broken_and_its_bytes_are_kept() {
    for voice in voices() {
        let early = &voice.stream[..voice.stream.find(voice.stream_end).unwrap()];
        for whole in [true, false] {
            let mut script = chunked(early, 64, whole);
            script.push(super::server::Step::Close);
            let server = Server::answering(script).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!(exchange.response, early.as_bytes());
            assert_eq!(failure(exchange).kind, ErrorKind::Broken, "{} {whole}", voice.provider);
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_after_its_end_is_an_answer() {
    for voice in voices() {
        let mut script = chunked(voice.stream, 64, false);
        script.push(super::server::Step::Close);
        let server = Server::answering(script).await;
        assert_eq!(answer(ask(&spec(voice.provider, &server.base_url())).await).text, "print(1)");
    }
}

#[tokio::test]
async fn reasoning_is_kept_apart() {
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.reasoning).await;
        assert_eq!((answer.text.as_str(), answer.reasoning.as_deref()), ("print(1)", Some("plan it")), "{}", voice.provider);
        let inline = voice.success.replace("print(1)", "<think>plan it</think>print(1)");
        let answer = answered(voice.provider, 200, &inline).await;
        assert_eq!((answer.text.as_str(), answer.reasoning.as_deref()), ("print(1)", Some("plan it")), "{}", voice.provider);
    }
}

#[tokio::test]
async fn a_marked_refusal_is_an_answer() {
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.blocked).await;
        assert_eq!(answer.blocked.as_deref(), Some(voice.blocked_words), "{}", voice.provider);
        assert_eq!(answer.text, "");
    }
    for finish in ["content_filter", "refusal"] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"def f("}},"finish_reason":"{finish}"}}]}}"#);
        let answer = answered(Provider::Openai, 200, &body).await;
        assert_eq!(
            (answer.text.as_str(), answer.blocked.as_deref(), answer.finish),
            ("def f(", Some(finish), Finish::ContentFilter)
        );
    }
    let filter =
        r#"{"error":{"message":"The prompt was filtered.","type":null,"param":"prompt","code":"content_filter","status":400}}"#;
    for voice in voices() {
        let answer = answered(voice.provider, 400, filter).await;
        assert_eq!((answer.blocked.as_deref(), answer.finish), (Some("The prompt was filtered."), Finish::ContentFilter));
    }
    let within = format!("data: {}\n\n", filter.replace("400", "\"x\""));
    let server = Server::answering(chunked(&within, 16, true)).await;
    assert_eq!(
        answer(ask(&spec(Provider::Openai, &server.base_url())).await).blocked.as_deref(),
        Some("The prompt was filtered.")
    );
}

#[tokio::test]
async fn explained_refusals_and_sensitivity_flags_are_read() {
    let explained =
        r#"{"type":"message","content":[],"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"Not this."}}"#;
    assert_eq!(answered(Provider::Anthropic, 200, explained).await.blocked.as_deref(), Some("Not this."));
    let flagged =
        r#"{"choices":null,"input_sensitive":true,"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}"#;
    assert!(answered(Provider::Openai, 200, flagged).await.blocked.is_some());
}

#[tokio::test]
async fn an_empty_answer_is_an_answer() {
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.empty).await;
        assert_eq!((answer.text.as_str(), answer.finish, answer.blocked), ("", Finish::Stop, None), "{}", voice.provider);
    }
    for content in ["null", "[]", "{}", "7"] {
        let body = format!(r#"{{"choices":[{{"message":{{"content":{content}}},"finish_reason":null}}]}}"#);
        assert_eq!(answered(Provider::Openai, 200, &body).await.finish, Finish::Missing);
    }
}

#[tokio::test]
async fn an_answer_that_met_the_limit_says_so() {
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.cut).await;
        assert_eq!((answer.text.as_str(), answer.finish), ("def f(", Finish::Length), "{}", voice.provider);
    }
}

#[tokio::test]
async fn tool_calls_are_read() {
    let wanted = [ToolCall { name: "run".to_owned(), arguments: r#"{"a":1}"#.to_owned() }];
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.tool).await;
        assert_eq!((answer.tool_calls.as_slice(), answer.finish), (&wanted[..], Finish::ToolCalls), "{}", voice.provider);
    }
    let numbered = concat!(
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"run\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
    );
    for stream in [numbered.to_owned(), numbered.replace("\"index\":0,", "")] {
        let server = Server::answering(chunked(&stream, 9, true)).await;
        assert_eq!(answer(ask(&spec(Provider::Openai, &server.base_url())).await).tool_calls, wanted);
    }
    let blocks = concat!(
        "data: {\"type\":\"message_start\",\"message\":{\"type\":\"message\",\"content\":[]}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"name\":\"run\",\"input\":{}}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"1}\"}}\n\n",
        "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n",
    );
    let server = Server::answering(chunked(blocks, 9, true)).await;
    assert_eq!(answer(ask(&spec(Provider::Anthropic, &server.base_url())).await).tool_calls, wanted);
}

#[tokio::test]
async fn odd_fields_never_lose_a_paid_answer() {
    for voice in voices() {
        let answer = answered(voice.provider, 200, voice.odd).await;
        assert_eq!(answer.text, "print(1)", "{}", voice.provider);
        assert_eq!(answer.finish, Finish::Other("vendor_reason".to_owned()));
        assert_eq!((answer.usage.input, answer.usage.output), (Some(11), Some(7)));
    }
    let odd = answered(Provider::Openai, 200, voices()[0].odd).await;
    assert_eq!(odd.usage.cost_usd, Some(0.00012));
    // A half surrogate pair, a raw line feed and a NaN, as servers in Python write them.
    let body = r#"{"choices":[{"message":{"content":"a\ud83d"},"logprobs":NaN,"finish_reason":"length"}]}"#;
    assert_eq!(answered(Provider::Openai, 200, body).await.text, "a\u{fffd}");
    let parts = r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"plan"}]},{"type":"text","text":"print(1)"}]}}]}"#;
    let listed = answered(Provider::Openai, 200, parts).await;
    assert_eq!((listed.text.as_str(), listed.reasoning.as_deref()), ("print(1)", Some("plan")));
}

#[tokio::test]
async fn detailed_usage_is_read() {
    let body = r#"{"choices":[{"message":{"content":"x"}}],"system_fingerprint":"fp_1","usage":{"prompt_tokens":100,"completion_tokens":50,"cost":0.25,"prompt_tokens_details":{"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":40}}}"#;
    let openai = answered(Provider::Openai, 200, body).await;
    assert_eq!((openai.usage.cached, openai.usage.reasoning, openai.usage.cost_usd), (Some(64), Some(40), Some(0.25)));
    assert_eq!(openai.fingerprint.as_deref(), Some("fp_1"));
    let body = r#"{"type":"message","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":3,"cache_read_input_tokens":64,"cache_creation_input_tokens":33,"output_tokens":5}}"#;
    let anthropic = answered(Provider::Anthropic, 200, body).await;
    assert_eq!((anthropic.usage.input, anthropic.usage.cached), (Some(100), Some(64)), "the prompt is counted whole");
}

#[tokio::test]
async fn sampling_goes_out_as_each_dialect_spells_it() {
    let sent = async |provider: Provider, change: fn(&mut turncoat_study::SubjectSpec)| {
        let server = Server::answering(document(200, "{}")).await;
        let mut spec = spec(provider, &server.base_url());
        change(&mut spec);
        let _malformed = ask(&spec).await;
        server.only_request()
    };
    let messages =
        json!([{"role": "system", "content": "You are a coding assistant."}, {"role": "user", "content": "Write add(a, b)."}]);
    let openai = sent(Provider::Openai, |_| {}).await.json();
    assert_eq!(
        openai,
        json!({"model": "coder-7b", "messages": messages, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05,
               "max_tokens": 512, "seed": 42, "stop": ["###"], "stream": false})
    );
    let anthropic = sent(Provider::Anthropic, |_| {}).await;
    assert!(anthropic.head.contains("anthropic-version: 2023-06-01"));
    assert_eq!(
        anthropic.json(),
        json!({"model": "coder-7b", "max_tokens": 512, "system": "You are a coding assistant.", "messages": [{"role": "user", "content": "Write add(a, b)."}],
               "temperature": 0.7, "top_k": 20, "stop_sequences": ["###"], "stream": false})
    );
    let ollama = sent(Provider::Ollama, |_| {}).await.json();
    assert_eq!(
        ollama,
        json!({"model": "coder-7b", "messages": messages, "stream": false, "options": {"num_ctx": 8192, "num_predict": 512, "temperature": 0.7,
               "top_p": 0.8, "top_k": 20, "repeat_penalty": 1.05, "seed": 42, "stop": ["###"]}})
    );
    let changed = sent(Provider::Openai, |spec| {
        spec.endpoint.omit = vec!["top_k".to_owned(), "seed".to_owned()];
        spec.endpoint.extra_body = Some(json!({"chat_template_kwargs": {"enable_thinking": false}, "temperature": 0.1}));
        spec.endpoint.headers.insert("X-Title".to_owned(), "turncoat".to_owned());
        spec.endpoint.stream = true;
    })
    .await;
    assert!(changed.head.contains("x-title: turncoat"));
    let body = changed.json();
    assert!(body.get("top_k").is_none() && body.get("seed").is_none());
    assert_eq!((&body["temperature"], &body["chat_template_kwargs"]["enable_thinking"]), (&json!(0.1), &json!(false)));
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    let nested = sent(Provider::Ollama, |spec| {
        spec.endpoint.omit = vec!["max_tokens".to_owned()];
        spec.endpoint.extra_body = Some(json!({"options": {"mirostat": 1}}));
    })
    .await
    .json();
    assert!(nested["options"].get("num_predict").is_none());
    assert_eq!((&nested["options"]["mirostat"], &nested["options"]["top_k"]), (&json!(1), &json!(20)), "tables are merged");
}

#[tokio::test]
async fn the_system_message_is_sent_word_for_word() {
    let odd = "  \"Ministry\" \u{4e2d}\u{6587}\n\ttab\u{1f600} \\ ";
    for voice in voices() {
        let server = Server::answering(document(200, voice.success)).await;
        let mut call = super::call();
        call.prompt.system = odd.to_owned();
        let _ = try_open(&spec(voice.provider, &server.base_url())).unwrap().ask(&call).await;
        let body = server.only_request().json();
        assert_eq!(body.get("system").unwrap_or(&body["messages"][0]["content"]), odd);
    }
}
