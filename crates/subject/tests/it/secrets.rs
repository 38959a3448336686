//! A key goes out in its header and is found nowhere else.

use std::time::Duration;

use super::server::{Server, Step, json, response};
use super::voices::voices;
use super::{KEY, ask, call, spec, surroundings, try_open};

#[tokio::test]
async fn a_key_is_in_no_record_and_no_message() {
    let echo = format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}. {KEY}","code":"invalid_api_key"}}}}"#);
    let good = format!(
        r#"{{"choices":[{{"message":{{"content":"ok"}}}}],"type":"message","content":[],"message":{{}},"done":true,"headers":"Bearer {KEY}"}}"#
    );
    for voice in voices() {
        for script in [
            json(401, &echo),
            json(200, &echo),
            json(200, &good),
            json(200, &format!("garbage {KEY}")),
            response(302, &format!("location: http://example.invalid/?key={KEY}\r\n"), b""),
            json(200, voice.success),
            vec![Step::Reset],
            vec![Step::Pause(Duration::from_secs(9))],
        ] {
            let server = Server::answering(script).await;
            let mut call = call();
            call.timeout = Duration::from_millis(400);
            let exchange = try_open(&spec(voice.provider, &server.base_url())).unwrap().ask(&call).await;
            assert!(server.only_request().head.contains(KEY), "the server does get it");
            let record = format!(
                "{exchange:?} {} {}",
                String::from_utf8_lossy(&exchange.request),
                String::from_utf8_lossy(&exchange.response)
            );
            assert!(!record.contains(KEY), "{record}");
        }
    }
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_refused_without_being_shown() {
    let secret = "sk-line\nbreak-0123456789";
    let surroundings = surroundings(&[("OTHER_KEY", secret)]);
    let mut spec = spec(turncoat_study::Provider::Openai, "http://127.0.0.1:9/v1");
    spec.conduct.api_key_env = Some("OTHER_KEY".to_owned());
    let error = turncoat_subject::open(&spec, &surroundings).err().unwrap();
    assert!(error.to_string().contains("OTHER_KEY") && !format!("{error:?} {error}").contains("sk-line"));
}

#[tokio::test]
async fn a_trailing_line_feed_is_no_part_of_a_key() {
    let server = Server::answering(json(200, voices()[0].success)).await;
    let surroundings = surroundings(&[("OTHER_KEY", "sk-from-a-file-1234\n")]);
    let mut spec = spec(turncoat_study::Provider::Openai, &server.base_url());
    spec.conduct.api_key_env = Some("OTHER_KEY".to_owned());
    let _ = turncoat_subject::open(&spec, &surroundings).unwrap().ask(&call()).await;
    assert!(server.only_request().head.contains("authorization: Bearer sk-from-a-file-1234\r\n"));
}

#[tokio::test]
async fn a_short_placeholder_key_changes_no_text() {
    let server = Server::answering(json(200, voices()[0].success)).await;
    let mut spec = spec(turncoat_study::Provider::Openai, &server.base_url());
    spec.conduct.api_key_env = None;
    assert_eq!(ask(&spec).await.response, voices()[0].success.as_bytes());
    spec.conduct.api_key_env = Some("OTHER_KEY".to_owned());
    let exchange = turncoat_subject::open(&spec, &surroundings(&[("OTHER_KEY", "print")])).unwrap().ask(&call()).await;
    assert_eq!(exchange.response, voices()[0].success.as_bytes());
}
