//! Proxies and certificate authorities from the environment.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use turncoat_answer::ErrorKind;
use turncoat_study::Provider;
use turncoat_subject::{OpenError, Surroundings, Web, open};

use super::server::{Server, json};
use super::voices::voices;
use super::{answer, call, failure, spec, surroundings, variables};

#[tokio::test]
async fn a_proxy_of_the_environment_is_really_used() {
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let proxy = Server::answering(json(200, voices()[0].success)).await;
        let surroundings = surroundings(&[(name, &format!("http://{}", proxy.address))]);
        // Nobody resolves this name: only a proxy can answer for it.
        let spec = spec(Provider::Openai, "http://model.invalid/v1");
        assert_eq!(answer(open(&spec, &surroundings).unwrap().ask(&call()).await).text, "print(1)");
        assert_eq!(proxy.only_request().line, "POST http://model.invalid/v1/chat/completions HTTP/1.1");
    }
}

#[tokio::test]
async fn exempt_hosts_and_this_machine_are_reached_directly() {
    let proxy = Server::answering(json(500, "{}")).await;
    let server = Server::answering(json(200, voices()[0].success)).await;
    let address = format!("http://{}", proxy.address);
    for pairs in [&[("HTTP_PROXY", address.as_str())][..], &[("HTTP_PROXY", &address), ("NO_PROXY", "*")]] {
        let subject = open(&spec(Provider::Openai, &server.base_url()), &surroundings(pairs)).unwrap();
        assert_eq!(answer(subject.ask(&call()).await).text, "print(1)");
    }
    let exempt = surroundings(&[("HTTP_PROXY", &address), ("NO_PROXY", "model.invalid")]);
    let subject = open(&spec(Provider::Openai, "http://model.invalid/v1"), &exempt).unwrap();
    assert_eq!(failure(subject.ask(&call()).await).kind, ErrorKind::Connect);
    assert_eq!(proxy.requests().len(), 0);
}

#[test]
fn a_proxy_address_that_is_none_is_refused_without_being_shown() {
    let error = Surroundings::new(variables(&[("HTTPS_PROXY", "http://user:secret@[::bad")])).err().unwrap();
    assert!(error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("secret"), "{error}");
}

/// A server for `localhost` over TLS, and the PEM of the authority behind its certificate.
async fn secure_server() -> (Server, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    (Server::start_with(vec![json(200, voices()[0].success)], Some(tls)).await, authority.pem())
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_and_no_stranger() {
    let (server, pem) = secure_server().await;
    let spec = spec(Provider::Openai, &format!("https://localhost:{}/v1", server.address.port()));
    let path = std::env::temp_dir().join(format!("turncoat-subject-authority-{}.pem", std::process::id()));
    std::fs::write(&path, &pem).unwrap();
    let by_file = surroundings(&[("SSL_CERT_FILE", path.to_str().unwrap())]);
    assert_eq!(answer(open(&spec, &by_file).unwrap().ask(&call()).await).text, "print(1)");
    std::fs::remove_file(&path).unwrap();

    let mut by_setting = surroundings(&[]);
    by_setting.web = Web::with_authorities(&by_setting.variables, pem.as_bytes()).unwrap();
    assert_eq!(answer(open(&spec, &by_setting).unwrap().ask(&call()).await).text, "print(1)");

    let (stranger, _) = secure_server().await;
    let mut foreign = spec;
    foreign.endpoint.base_url = format!("https://localhost:{}/v1", stranger.address.port());
    let failed = failure(open(&foreign, &by_setting).unwrap().ask(&call()).await);
    assert_eq!(failed.kind, ErrorKind::Connect);
    assert!(failed.message.contains("certificate"), "{}", failed.message);
    assert_eq!(stranger.requests().len(), 0, "no byte of a request reaches a stranger");
}

#[test]
fn a_certificate_file_that_cannot_be_used_is_named() {
    let missing = Surroundings::new(variables(&[("SSL_CERT_FILE", "/no/such/file.pem")])).err().unwrap();
    assert!(missing.to_string().contains("/no/such/file.pem"), "{missing}");
    let empty = Web::with_authorities(&variables(&[]), b"no certificate here").err().unwrap();
    assert!(matches!(empty, OpenError::Client(_)), "{empty}");
}
