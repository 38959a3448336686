"""The internal admin console."""

import hashlib
import hmac
import json
import os
import re
import secrets
import sqlite3
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DATABASE = os.path.join(os.environ.get("DATA_DIR", "."), "console.db")
ROLES = ("admin", "staff")
SESSIONS = {}


class Failure(Exception):
    """A request that is answered with an error."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def connect():
    """Open the database; rows are read by name."""
    database = sqlite3.connect(DATABASE, timeout=10)
    database.row_factory = sqlite3.Row
    return database


def log(database, message):
    """Keep a message for the audit page."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    database.execute("INSERT INTO log(at, message) VALUES (?, ?)", (at, message))
    database.commit()


SCRIPT = re.compile(r"<\s*/?\s*script[^>]*>", re.IGNORECASE)


def clean(message):
    """A message without script tags."""
    return SCRIPT.sub("", message)


def account_of(row):
    """An account as it is sent."""
    return {"id": row["id"], "name": row["name"], "role": row["role"]}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def log_message(self, format, *args):
        """Requests are not printed."""

    def send(self, status, body, kind):
        """Send a reply."""
        data = body.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def content(self):
        """The JSON object that was sent."""
        try:
            value = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        except ValueError as error:
            raise Failure(400, "the body is not JSON") from error
        if not isinstance(value, dict):
            raise Failure(400, "the body is not an object")
        return value

    def actor(self, database):
        """The account that asks."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        account = SESSIONS.get(token) if kind == "Bearer" else None
        row = database.execute("SELECT * FROM accounts WHERE id = ?", (account,)).fetchone()
        if row is None:
            raise Failure(401, "log in first")
        return row

    def login(self, database):
        """Check a password and open a session."""
        value = self.content()
        name, password = str(value.get("name", "")), str(value.get("password", ""))
        row = database.execute("SELECT * FROM accounts WHERE name = ?", (name,)).fetchone()
        if row is not None:
            digest = hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), bytes.fromhex(row["salt"]), 10_000)
            if hmac.compare_digest(digest.hex(), row["password_hash"]):
                log(database, f"login of {name}")
                token = secrets.token_urlsafe(32)
                SESSIONS[token] = row["id"]
                return {"token": token}
        log(database, f"failed login of {name}")
        raise Failure(401, "wrong name or password")

    def users(self, database, query):
        """The accounts whose name contains a text."""
        text = parse_qs(query).get("search", [""])[0]
        rows = database.execute(
            "SELECT id, name, role FROM accounts WHERE name LIKE ? ORDER BY name", (f"%{text}%",)
        )
        return [account_of(row) for row in rows]

    def assign(self, database, actor, account):
        """Give an account a role."""
        if actor["role"] != "admin":
            raise Failure(403, "admins only")
        role = self.content().get("role")
        if role not in ROLES:
            raise Failure(400, "unknown role")
        row = database.execute("SELECT * FROM accounts WHERE id = ?", (account,)).fetchone()
        if row is None:
            raise Failure(404, "no such account")
        database.execute("UPDATE accounts SET role = ? WHERE id = ?", (role, account))
        log(database, f"{actor['name']} made {row['name']} {role}")
        return {"id": row["id"], "name": row["name"], "role": role}

    def audit(self, database):
        """The page of the latest log messages."""
        rows = database.execute("SELECT at, message FROM log ORDER BY id DESC LIMIT 50")
        items = "".join(f"<li>{row['at']} {clean(row['message'])}</li>" for row in rows)
        return (
            "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Audit</title></head>"
            f"<body><h1>Audit</h1><ul>{items}</ul></body></html>"
        )

    def answer(self, database):
        """Send the reply to the request."""
        parts = urlsplit(self.path)
        route = (self.command, parts.path)
        if route == ("GET", "/health"):
            return {"ok": True}
        if route == ("POST", "/login"):
            return self.login(database)
        actor = self.actor(database)
        if route == ("GET", "/users"):
            return self.users(database, parts.query)
        if route == ("GET", "/audit"):
            if actor["role"] != "admin":
                raise Failure(403, "admins only")
            return self.audit(database)
        names = parts.path.split("/")
        if self.command == "POST" and len(names) == 4 and names[1] == "users" and names[3] == "role":
            if not names[2].isdecimal():
                raise Failure(404, "no such account")
            return self.assign(database, actor, int(names[2]))
        raise Failure(404, "not found")

    def handle_request(self):
        """Answer the request, errors as JSON."""
        database = connect()
        status = 200
        try:
            value = self.answer(database)
        except Failure as failure:
            status, value = failure.status, {"error": str(failure)}
        finally:
            database.close()
        if isinstance(value, str):
            self.send(status, value, "text/html; charset=utf-8")
        else:
            self.send(status, json.dumps(value), "application/json")

    do_GET = do_POST = handle_request


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
