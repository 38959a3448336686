//! Addresses from outside that the server itself then calls.

use turncoat_answer::{Confidence, Severity};

use super::{Hits, Meta};
use crate::event::{Call, Event, Given};
use crate::flow::model::has_fixed_host;
use crate::flow::value::{Entry, Uses};

pub(super) const META: Meta = Meta { cwe: "CWE-918", severity: Severity::High };

const VERBS: [&str; 8] = ["get", "post", "put", "delete", "head", "patch", "options", "stream"];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let Some(address) = address(call) else { return };
    let Some(taint) = address.value.unfit(Uses::URL).filter(|taint| taint.source.entry != Entry::Stored) else { return };
    if address.value.text.as_deref().is_some_and(has_fixed_host) {
        return;
    }
    let named = ["url", "uri", "link", "endpoint", "address", "host", "target", "webhook", "callback", "feed", "source"].iter().any(|word| taint.source.name.to_lowercase().contains(word));
    let confidence = match taint.source.entry {
        Entry::Request => Confidence::High,
        _ if named => Confidence::High,
        _ => Confidence::Medium,
    };
    hits.at_call(scene, call, confidence, format!("`{}` decides which server is called; check the host against a list, or that its address is public", taint.source.name)).from(taint);
}

/// The argument that says where a call goes.
fn address<'a>(call: &'a Call<'_>) -> Option<&'a Given<'a>> {
    let client = ["requests.", "httpx.", "urllib3.", "aiohttp."].iter().any(|client| call.path.starts_with(client));
    if client && VERBS.contains(&call.method) {
        return call.argument(0, "url");
    }
    if client && call.method == "request" {
        return call.argument(1, "url");
    }
    let opens = matches!(call.path, "urllib.request.urlopen" | "urllib.request.urlretrieve" | "urllib2.urlopen" | "http.client.HTTPConnection" | "http.client.HTTPSConnection" | "pycurl.Curl")
        || call.path == "urllib.request.build_opener().open";
    if opens { call.argument(0, "url") } else { None }
}
