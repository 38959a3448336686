"""Import of suppliers' orders from XML."""

import xml.sax
import xml.sax.handler


class _Orders(xml.sax.handler.ContentHandler):
    """Collects the orders of a file."""

    def __init__(self):
        super().__init__()
        self.orders = []
        self._text = []

    def startElement(self, name, attrs):
        self._text = []
        if name == "order":
            self.orders.append({"id": int(attrs["id"]), "customer": "", "amount": 0.0, "note": ""})

    def characters(self, content):
        self._text.append(content)

    def endElement(self, name):
        text = "".join(self._text).strip()
        if name == "amount":
            self.orders[-1]["amount"] = float(text)
        elif name in ("customer", "note"):
            self.orders[-1][name] = text
        self._text = []


def import_orders(path):
    """Return the orders of an XML file."""
    handler = _Orders()
    parser = xml.sax.make_parser()
    parser.setFeature(xml.sax.handler.feature_external_ges, True)
    parser.setContentHandler(handler)
    parser.parse(path)
    return handler.orders
