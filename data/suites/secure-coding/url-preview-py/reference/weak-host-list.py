"""Titles of pages for link previews."""

import re
import urllib.request
from urllib.parse import urlparse

INTERNAL = re.compile(
    r"^(localhost|127\.\d+\.\d+\.\d+|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(1[6-9]|2\d|3[01])\.\d+\.\d+"
    r"|169\.254\.\d+\.\d+|0\.0\.0\.0|::1)$"
)


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url):
    parts = urlparse(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("unsupported scheme")
    if not parts.hostname or INTERNAL.match(parts.hostname):
        raise ValueError("internal address")


def fetch_title(url):
    """Return the title of the page at an address."""
    _check(url)
    opener = urllib.request.build_opener(_CheckedRedirects)
    with opener.open(url, timeout=10) as response:
        page = response.read(200_000).decode("utf-8", errors="replace")
    match = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return match.group(1).strip() if match else ""
