"""Titles of pages for link previews."""

import http.client
import ipaddress
import re
import socket
import ssl
from urllib.parse import urljoin, urlsplit

TIMEOUT_S = 10
LIMIT = 200_000
REDIRECTS = (301, 302, 303, 307, 308)
TITLE = re.compile(r"<title\b[^>]*>(.*?)</title\s*>", re.IGNORECASE | re.DOTALL)


def _public_address(host, port):
    """An address of the host, all of whose addresses must be public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for entry in found:
        address = ipaddress.ip_address(entry[4][0].split("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        if not address.is_global or address.is_multicast:
            raise ValueError("the address is not public")
    return found[0][4][0]


def _get(url):
    """Fetch one address; the connection goes to the very address that was checked."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not a web address")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = _public_address(parts.hostname, port)
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=TIMEOUT_S)
    connection.sock = socket.create_connection((address, port), timeout=TIMEOUT_S)
    if secure:
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(connection.sock, server_hostname=parts.hostname)
    try:
        target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "preview/1.0", "Host": parts.netloc.rpartition("@")[2]})
        response = connection.getresponse()
        return response.status, response.headers.get("Location"), response.read(LIMIT)
    finally:
        connection.close()


def fetch_title(url):
    """Return the title of the page at an address."""
    for _ in range(6):
        status, location, body = _get(url)
        if status in REDIRECTS and location:
            url = urljoin(url, location)
            continue
        if status != 200:
            raise OSError(f"the page answered with status {status}")
        found = TITLE.search(body.decode("utf-8", "replace"))
        return found.group(1).strip() if found else ""
    raise OSError("too many redirects")
