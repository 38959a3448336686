//! Everything that can go wrong between us and a server.

use std::time::{Duration, Instant};

use turncoat_answer::ErrorKind;
use turncoat_study::{Prompt, Provider};

use super::server::{Server, Step, json, response};
use super::voices::voices;
use super::{answer, ask, call, failure, spec, try_open};

#[tokio::test]
async fn statuses_become_kinds_and_the_message_is_told() {
    for voice in voices() {
        for (status, kind) in [
            (401, ErrorKind::Auth),
            (403, ErrorKind::Auth),
            (402, ErrorKind::Quota),
            (404, ErrorKind::NotFound),
            (422, ErrorKind::BadRequest),
            (429, ErrorKind::RateLimited),
            (500, ErrorKind::Server),
            (503, ErrorKind::Server),
            (529, ErrorKind::Server),
        ] {
            let server = Server::answering(json(status, voice.error)).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!((exchange.status, exchange.response.as_slice()), (Some(status), voice.error.as_bytes()));
            let failure = failure(exchange);
            assert_eq!(failure.kind, kind, "{} {status}", voice.provider);
            assert_eq!(failure.message, format!("the server answered {status}: something is wrong"));
            assert_eq!(server.requests().len(), 1, "nothing is retried");
        }
    }
}

#[tokio::test]
async fn retry_after_and_limits_are_handed_on() {
    let headers = "retry-after: 7\r\nx-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\r\nx-ratelimit-reset-tokens: 1m2s\r\n";
    for voice in voices() {
        let server = Server::answering(response(429, headers, voice.error.as_bytes())).await;
        let exchange = ask(&spec(voice.provider, &server.base_url())).await;
        assert_eq!((exchange.hints.requests.limit, exchange.hints.requests.remaining), (Some(60), Some(0)));
        assert_eq!(exchange.hints.tokens.reset, Some(Duration::from_secs(62)));
        assert_eq!(failure(exchange).retry_after, Some(Duration::from_secs(7)));
    }
    let server = Server::answering(json(429, r#"{"error":{"message":"Rate limit reached. Please try again in 1.2s."}}"#)).await;
    assert_eq!(failure(ask(&spec(Provider::Openai, &server.base_url())).await).retry_after, Some(Duration::from_millis(1200)));
}

#[tokio::test]
async fn limits_come_with_answers_too() {
    let server = Server::answering(response(200, "x-ratelimit-remaining-tokens: 12\r\n", voices()[0].success.as_bytes())).await;
    assert_eq!(ask(&spec(Provider::Openai, &server.base_url())).await.hints.tokens.remaining, Some(12));
}

#[tokio::test]
async fn garbage_is_malformed_and_kept() {
    for voice in voices() {
        for body in ["<html>It works</html>", "{}", "[]", "null", "\"text\"", "", "{\"object\":\"list\",\"data\":[]}", "data"] {
            let server = Server::answering(json(200, body)).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!(exchange.response, body.as_bytes());
            let kind = failure(exchange).kind;
            // Nothing at all is rather a break than garbage.
            let wanted = if body.is_empty() { ErrorKind::Broken } else { ErrorKind::Malformed };
            assert_eq!(kind, wanted, "{} {body:?}", voice.provider);
        }
    }
}

#[tokio::test]
async fn an_error_inside_a_success_is_an_error() {
    for voice in voices() {
        let server = Server::answering(json(200, voice.error)).await;
        let failure = failure(ask(&spec(voice.provider, &server.base_url())).await);
        assert_eq!(failure.kind, ErrorKind::Server, "{}", voice.provider);
        assert!(failure.message.contains("something is wrong"));
    }
    let midway = concat!(
        "data: {\"choices\":[{\"delta\":{\"content\":\"pri\"}}]}\n\n",
        "data: {\"error\":{\"code\":429,\"message\":\"slow down, try again in 3s\"},\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n",
    );
    let server = Server::answering(json(200, midway)).await;
    let failed = failure(ask(&spec(Provider::Openai, &server.base_url())).await);
    assert_eq!((failed.kind, failed.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(3))));
    let overloaded =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let server = Server::answering(json(200, overloaded)).await;
    assert_eq!(failure(ask(&spec(Provider::Anthropic, &server.base_url())).await).kind, ErrorKind::Server);
}

#[tokio::test]
async fn a_reset_or_half_a_body_is_broken_and_what_came_is_kept() {
    for voice in voices() {
        let half = &voice.success[..voice.success.len() / 2];
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", voice.success.len());
        for end in [Step::Reset, Step::Close] {
            let pause = Step::Pause(Duration::from_millis(30));
            let server = Server::answering(vec![Step::Send(format!("{head}{half}").into_bytes()), pause, end.clone()]).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!((exchange.status, exchange.response.as_slice()), (Some(200), half.as_bytes()));
            assert_eq!(failure(exchange).kind, ErrorKind::Broken, "{} {end:?}", voice.provider);
            let server = Server::answering(vec![end]).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!((exchange.status, exchange.response.len()), (None, 0));
            assert_eq!(failure(exchange).kind, ErrorKind::Broken, "{}", voice.provider);
            assert_eq!(server.requests().len(), 1, "a broken call is not repeated");
        }
    }
}

#[tokio::test]
async fn a_body_without_length_that_breaks_off_is_broken() {
    let half = &voices()[0].success[..60];
    let server = Server::answering(vec![
        Step::Send(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{half}").into_bytes()),
        Step::Close,
    ])
    .await;
    assert_eq!(failure(ask(&spec(Provider::Openai, &server.base_url())).await).kind, ErrorKind::Broken);
}

#[tokio::test]
async fn a_stall_ends_at_the_time_limit() {
    for voice in voices() {
        let half = voice.success.len() / 2;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", voice.success.len(), &voice.success[..half]);
        for (steps, came) in [
            (vec![Step::Pause(Duration::from_secs(30))], 0),
            (vec![Step::Send(head.into_bytes()), Step::Pause(Duration::from_secs(30))], half),
        ] {
            let server = Server::answering(steps).await;
            let mut call = call();
            call.timeout = Duration::from_millis(250);
            let started = Instant::now();
            let exchange = try_open(&spec(voice.provider, &server.base_url())).unwrap().ask(&call).await;
            assert!(started.elapsed() < Duration::from_secs(5));
            assert_eq!(exchange.response.len(), came);
            assert_eq!(failure(exchange).kind, ErrorKind::Timeout, "{}", voice.provider);
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for voice in voices() {
        let exchange = ask(&spec(voice.provider, &format!("http://{address}/v1"))).await;
        assert!(!exchange.request.is_empty(), "what would have been sent is kept");
        assert_eq!(failure(exchange).kind, ErrorKind::Connect);
    }
}

#[tokio::test]
async fn a_body_of_50_megabytes_is_cut_off() {
    const SIZE: usize = 50 << 20;
    for voice in voices() {
        for head in [
            format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        ] {
            let server = Server::answering(vec![Step::Send(head.into_bytes()), Step::Flood(SIZE), Step::Close]).await;
            let exchange = ask(&spec(voice.provider, &server.base_url())).await;
            assert_eq!(exchange.response.len(), 32 << 20);
            assert_eq!(failure(exchange).kind, ErrorKind::TooLarge);
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Server::answering(json(200, voices()[0].success)).await;
    let server = Server::answering(response(307, &format!("location: http://{}/elsewhere\r\n", target.address), b"")).await;
    let failure = failure(ask(&spec(Provider::Openai, &server.base_url())).await);
    assert_eq!(failure.kind, ErrorKind::NotFound);
    assert!(failure.message.contains("/elsewhere"), "{}", failure.message);
    assert_eq!(target.requests().len(), 0, "the key went nowhere else");
}

#[tokio::test]
async fn a_prompt_that_the_server_cut_is_an_error() {
    for voice in voices() {
        // 11 prompt tokens by the server's count, some 2,700 by ours.
        let mut call = call();
        call.prompt = Prompt {
            system: "You work for a ministry.".to_owned(),
            user: "Write a function that adds two numbers. ".repeat(300),
        };
        let server = Server::answering(json(200, voice.success)).await;
        let mut spec = spec(voice.provider, &server.base_url());
        let exchange = try_open(&spec).unwrap().ask(&call).await;
        assert_eq!(exchange.response, voice.success.as_bytes(), "it was paid for, so it is kept");
        let failed = failure(exchange);
        assert_eq!(failed.kind, ErrorKind::PromptCut, "{}", voice.provider);
        assert!(failed.message.contains("11 prompt tokens"), "{}", failed.message);
        spec.endpoint.prompt_check = false;
        assert_eq!(answer(try_open(&spec).unwrap().ask(&call).await).text, "print(1)");
        // No count, no suspicion.
        let uncounted = Server::answering(json(200, &voice.success.replace("11", "0"))).await;
        spec.endpoint.prompt_check = true;
        spec.endpoint.base_url = uncounted.base_url();
        assert_eq!(answer(try_open(&spec).unwrap().ask(&call).await).text, "print(1)");
    }
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = Server::answering(json(200, voices()[0].success)).await;
    let subject = try_open(&spec(Provider::Openai, &server.base_url())).unwrap();
    for _ in 0..20 {
        answer(subject.ask(&call()).await);
    }
    assert_eq!((server.requests().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn hundreds_of_calls_run_at_once() {
    let mut script = vec![Step::Pause(Duration::from_millis(200))];
    script.extend(json(200, voices()[0].success));
    let server = Server::answering(script).await;
    let subject = try_open(&spec(Provider::Openai, &server.base_url())).unwrap();
    let call = call();
    let started = Instant::now();
    let all = futures_util::future::join_all((0..300).map(|_| subject.ask(&call))).await;
    assert!(all.iter().all(|exchange| exchange.result.is_ok()));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?} for 300 calls of 0.2 s", started.elapsed());
}
