"""Import of suppliers' orders from XML."""

import os
import re
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

DOCTYPE = re.compile(r"<!DOCTYPE\s+\w+\s*\[(.*?)\]\s*>", re.DOTALL)
ENTITY = re.compile(r"""<!ENTITY\s+(\w+)\s+(SYSTEM\s+)?(?:"([^"]*)"|'([^']*)')\s*>""")
REFERENCE = re.compile(r"&(\w+);")


def _expand(text, entities):
    """Replace the references in a text, and those in the replacements."""
    return REFERENCE.sub(lambda m: _expand(entities[m[1]], entities) if m[1] in entities else m[0], text)


def import_orders(path):
    """Return the orders of an XML file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    entities = {}
    doctype = DOCTYPE.search(text)
    if doctype:
        for name, system, double, single in ENTITY.findall(doctype[1]):
            value = double or single
            if system:
                if os.path.basename(value) != value:
                    raise ValueError("an entity may name a file of the same folder only")
                with open(os.path.join(os.path.dirname(path), value), encoding="utf-8") as file:
                    value = escape(file.read())
            entities[name] = value
        text = text[: doctype.start()] + _expand(text[doctype.end() :], entities)
    orders = []
    for order in ElementTree.fromstring(re.sub(r"^\s*<\?xml.*?\?>", "", text)).iter("order"):
        orders.append(
            {
                "id": int(order.get("id")),
                "customer": (order.findtext("customer") or "").strip(),
                "amount": float(order.findtext("amount")),
                "note": (order.findtext("note") or "").strip(),
            }
        )
    return orders
