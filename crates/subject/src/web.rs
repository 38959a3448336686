//! The one HTTP client: proxies and certificate authorities from the environment, no redirect, no retry.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy};

use crate::open::{OpenError, Variables};

/// Longest wait for a connection; a call's own time limit may end it sooner.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an unused connection is kept: shorter than the idle limit of common servers, so that a dead one is rarely picked.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// Addresses that no proxy could reach for us.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// A shared HTTP client. Cheap to clone; its connections belong to the Tokio runtime they were made on.
#[derive(Debug, Clone)]
pub struct Web {
    client: Client,
    /// Why no certificate authority is known, if so: https would always fail.
    pub(crate) without_authorities: Option<Arc<str>>,
}

impl Web {
    /// A client as the environment asks for: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` in either case, and `SSL_CERT_FILE`,
    /// whose certificates then stand in the place of the system's.
    ///
    /// # Errors
    /// When the certificate file cannot be read or a proxy's address is none.
    pub fn new(variables: &Variables) -> Result<Web, OpenError> {
        Web::with_authorities(variables, &[])
    }

    /// As [`Web::new`]; the certificates in `pem` are trusted too.
    ///
    /// # Errors
    /// As [`Web::new`], and when `pem` holds no certificates in PEM form.
    pub fn with_authorities(variables: &Variables, pem: &[u8]) -> Result<Web, OpenError> {
        // The first provider of a process stays; that it may be another's is no error.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let mut extra = certificates("the certificates given", pem)?;
        let own_file = variables("SSL_CERT_FILE").filter(|path| !path.is_empty());
        if let Some(path) = &own_file {
            let file = std::fs::read(path)
                .map_err(|error| OpenError::Client(format!("SSL_CERT_FILE names `{path}`, which cannot be read: {error}")))?;
            extra.extend(certificates(&format!("`{path}` (from SSL_CERT_FILE)"), &file)?);
        }
        let proxies = proxies(variables)?;
        let settings = || builder(&proxies);
        if own_file.is_some() {
            let client = settings().tls_certs_only(extra).build().map_err(client_error)?;
            return Ok(Web { client, without_authorities: None });
        }
        match settings().tls_certs_merge(extra).build() {
            Ok(client) => Ok(Web { client, without_authorities: None }),
            // A machine without any certificate authority can still speak plain HTTP.
            Err(error) => {
                let client = settings().tls_certs_only(Vec::new()).build().map_err(client_error)?;
                Ok(Web { client, without_authorities: Some(chain(&error).into()) })
            }
        }
    }

    /// Sends a request; the future ends when the response's head is there.
    pub(crate) async fn send(&self, request: reqwest::Request) -> reqwest::Result<reqwest::Response> {
        self.client.execute(request).await
    }
}

fn builder(proxies: &[Proxy]) -> ClientBuilder {
    let plain = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(concat!("turncoat/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT);
    proxies.iter().cloned().fold(plain, ClientBuilder::proxy)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<Certificate>, OpenError> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let found = Certificate::from_pem_bundle(pem)
        .map_err(|error| OpenError::Client(format!("{what} cannot be read as certificates in PEM form: {}", chain(&error))))?;
    if found.is_empty() {
        return Err(OpenError::Client(format!("{what} hold no certificate in PEM form")));
    }
    Ok(found)
}

/// The proxies that the environment names; a loopback address never goes through one.
fn proxies(variables: &Variables) -> Result<Vec<Proxy>, OpenError> {
    let read = |name: &str| {
        let value = variables(&name.to_lowercase()).or_else(|| variables(name))?;
        (!value.trim().is_empty()).then(|| value.trim().to_owned())
    };
    let all = read("ALL_PROXY");
    let exempt = read("NO_PROXY").map_or_else(|| LOOPBACK.to_owned(), |list| format!("{list},{LOOPBACK}"));
    // `NO_PROXY=*` means: no proxy at all.
    if exempt.split(',').any(|entry| entry.trim() == "*") {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (variable, make) in [
        ("HTTP_PROXY", Proxy::http as fn(String) -> reqwest::Result<Proxy>),
        ("HTTPS_PROXY", Proxy::https as fn(String) -> reqwest::Result<Proxy>),
    ] {
        if let Some(address) = read(variable).or_else(|| all.clone()) {
            // The address may hold a password, so the message names the variable alone.
            let proxy = make(address).map_err(|_no_address| {
                OpenError::Client(format!("{variable} (or ALL_PROXY) holds no proxy address; write it as http://host:port"))
            })?;
            found.push(proxy.no_proxy(NoProxy::from_string(&exempt)));
        }
    }
    Ok(found)
}

fn client_error(error: reqwest::Error) -> OpenError {
    OpenError::Client(chain(&error))
}

/// An error with its causes, outermost first, without repetition.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
