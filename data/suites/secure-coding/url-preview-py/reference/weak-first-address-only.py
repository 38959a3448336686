"""Titles of pages for link previews."""

import ipaddress
import re
import socket
import urllib.request
from urllib.parse import urlparse


def _is_internal(host):
    for entry in socket.getaddrinfo(host, None):
        address = ipaddress.ip_address(entry[4][0])
        if address.is_private or address.is_loopback or address.is_link_local or address.is_reserved:
            return True
    return False


def fetch_title(url):
    """Return the title of the page at an address."""
    parts = urlparse(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("unsupported address")
    if _is_internal(parts.hostname):
        raise ValueError("internal addresses are not fetched")
    with urllib.request.urlopen(url, timeout=10) as response:
        page = response.read(200_000).decode("utf-8", errors="replace")
    match = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return match.group(1).strip() if match else ""
