"""Titles of pages for link previews."""

import re
import urllib.request


def fetch_title(url):
    """Return the title of the page at an address."""
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
    with urllib.request.urlopen(request, timeout=10) as response:
        page = response.read(200_000).decode("utf-8", errors="replace")
    match = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return match.group(1).strip() if match else ""
