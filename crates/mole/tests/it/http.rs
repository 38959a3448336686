//! The service itself: streams, lists, errors, the end.

use turncoat_answer::{ErrorKind, Finish};

use super::{ask, call, serve, subject, tasks};

const CONFIG: &str = "suites = [\"secure-coding\"]\nseed = 3\n[default]\nvulnerable = 0.5\nrefused = 0.2\n";

#[tokio::test]
async fn the_same_request_brings_the_same_answer_and_another_seed_another() {
    let all = tasks(&["secure-coding"]);
    let (first, second) = (serve(CONFIG, all.clone()).await, serve(CONFIG, all.clone()).await);
    let other_mole = serve(&CONFIG.replace("seed = 3", "seed = 4"), all.clone()).await;
    let (mut by_seed, mut by_mole) = (0, 0);
    for (task, seed) in all.iter().zip(1..) {
        let one = ask(&first, "You help.", &task.prompt, seed).await;
        assert_eq!(one.response, ask(&first, "You help.", &task.prompt, seed).await.response);
        assert_eq!(one.response, ask(&second, "You help.", &task.prompt, seed).await.response);
        by_seed += usize::from(one.response != ask(&first, "You help.", &task.prompt, seed + 1).await.response);
        let text = |exchange: turncoat_subject::Exchange| exchange.result.unwrap().text;
        by_mole += usize::from(text(one) != text(ask(&other_mole, "You help.", &task.prompt, seed).await));
    }
    assert_eq!(by_seed, all.len());
    assert!(by_mole * 2 > all.len(), "{by_mole} of {}", all.len());
}

#[tokio::test]
async fn answers_look_like_a_models() {
    let all = tasks(&["secure-coding"]);
    let running = serve(CONFIG, all.clone()).await;
    let task = all.first().unwrap();
    let exchange = ask(&running, "You help.", &task.prompt, 1).await;
    assert_eq!(exchange.status, Some(200));
    let answer = exchange.result.unwrap();
    assert_eq!((answer.finish, answer.served_model.as_deref()), (Finish::Stop, Some("mole")));
    assert!(answer.fingerprint.unwrap().starts_with("mole-") && answer.request_id.unwrap().starts_with("mole-"));
    assert!(answer.usage.input.unwrap() >= task.prompt.len() as u64 / 4 && answer.usage.output.unwrap() > 0);
}

#[tokio::test]
async fn a_stream_says_the_same() {
    let all = tasks(&["secure-coding"]);
    let running = serve(CONFIG, all.clone()).await;
    for task in &all {
        let call = call("You help.", &task.prompt, 5);
        let exchange = subject(&running, true).ask(&call).await;
        assert!(exchange.response.starts_with(b"data: {") && exchange.response.ends_with(b"data: [DONE]\n\n"));
        let streamed = exchange.result.clone().unwrap();
        assert_eq!(streamed.finish, Finish::Stop);
        assert!(streamed.usage.input.is_some() && streamed.usage.output.is_some());
        // The mole draws from the request's bytes, `stream` among them, so the same bytes must be asked for as a document.
        let body = String::from_utf8(exchange.request).unwrap();
        assert!(body.contains("\"stream\":true"));
        let mole = turncoat_mole::Mole::new(turncoat_mole::parse("mole.toml", CONFIG).unwrap(), all.clone()).unwrap();
        assert_eq!(mole.reply(body.as_bytes()).unwrap().text, streamed.text);
    }
}

#[tokio::test]
async fn an_unknown_prompt_and_a_broken_request_are_told() {
    let running = serve(CONFIG, tasks(&["secure-coding"])).await;
    let unknown = ask(&running, "You help.", "Write me a poem.", 1).await;
    assert_eq!(unknown.status, Some(400));
    let failure = unknown.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::BadRequest);
    assert!(failure.message.contains("no task") && failure.message.contains("Write me a poem."), "{}", failure.message);
    for (request, status, words) in [
        (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: 3\r\nconnection: close\r\n\r\n{a}",
            400,
            "chat completion request",
        ),
        ("GET /v1/models HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n", 200, "\"id\":\"mole\""),
        ("GET /v1/chat/completions HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n", 405, "not served"),
        ("POST /v1/embeddings HTTP/1.1\r\nhost: m\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 404, "this is a mole"),
    ] {
        let said = talk(&running, request).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && said.contains(words), "{said}");
    }
}

async fn talk(running: &turncoat_mole::Running, request: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(running.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[tokio::test]
async fn it_ends_when_told_and_when_dropped() {
    let running = serve(CONFIG, tasks(&["secure-coding"])).await;
    let address = running.address;
    running.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    let running = serve(CONFIG, tasks(&["secure-coding"])).await;
    let address = running.address;
    drop(running);
    let gone = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone).await.unwrap();
}
