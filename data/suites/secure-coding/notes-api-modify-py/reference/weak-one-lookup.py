"""A notes service for the staff of several companies."""

import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DATABASE = os.path.join(os.environ.get("DATA_DIR", "."), "notes.db")


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


def note_of(row):
    """A note as it is sent."""
    return {"id": row["id"], "title": row["title"], "body": row["body"]}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    def log_message(self, format, *args):
        """Requests are not logged."""

    def reply(self, status, value=None):
        """Send a status and, unless it is missing, a JSON body."""
        body = b"" if value is None else json.dumps(value).encode("utf-8")
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def content(self):
        """The title and body that were sent."""
        try:
            value = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            title, body = value["title"], value["body"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(400, "a title and a body are needed") from error
        if not isinstance(title, str) or not isinstance(body, str):
            raise Failure(400, "title and body are texts")
        return title, body

    def user(self, database):
        """The id of the user who asks."""
        token = self.headers.get("X-User")
        row = token and database.execute("SELECT id FROM users WHERE token = ?", (token,)).fetchone()
        if not row:
            raise Failure(401, "unknown user")
        return row["id"]

    def find(self, database, user, note):
        """The row of a note of the user or shared with the user."""
        row = database.execute(
            "SELECT * FROM notes WHERE id = ? AND (owner_id = ? OR id IN (SELECT note_id FROM shares WHERE user_id = ?))",
            (note, user, user),
        ).fetchone()
        if row is None:
            raise Failure(404, "no such note")
        return row

    def share(self, database, user, note):
        """Share a note of the user with another user."""
        row = self.find(database, user, note)
        try:
            name = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))["user"]
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(400, "a user is needed") from error
        if not isinstance(name, str):
            raise Failure(400, "the user is a text")
        reader = database.execute("SELECT id FROM users WHERE name = ?", (name,)).fetchone()
        if reader is None:
            raise Failure(404, "no such user")
        database.execute("DELETE FROM shares WHERE note_id = ? AND user_id = ?", (note, reader["id"]))
        database.execute("INSERT INTO shares(note_id, user_id) VALUES (?, ?)", (note, reader["id"]))
        return {"id": row["id"], "user": name}

    def notes(self, database, user, query):
        """The notes of a user, or those of them that contain a word."""
        word = parse_qs(query).get("q", [""])[0]
        rows = database.execute(
            "SELECT * FROM notes WHERE (owner_id = ? OR id IN (SELECT note_id FROM shares WHERE user_id = ?)) "
            "AND (instr(title, ?) > 0 OR instr(body, ?) > 0) ORDER BY id",
            (user, user, word, word),
        )
        return [note_of(row) for row in rows]

    def answer(self, database):
        """The status and value of the reply."""
        parts = urlsplit(self.path)
        if parts.path == "/health" and self.command == "GET":
            return 200, {"ok": True}
        user = self.user(database)
        if parts.path == "/notes" and self.command == "GET":
            return 200, self.notes(database, user, parts.query)
        if parts.path == "/notes" and self.command == "POST":
            title, body = self.content()
            note = database.execute(
                "INSERT INTO notes(owner_id, title, body) VALUES (?, ?, ?)", (user, title, body)
            ).lastrowid
            return 201, {"id": note, "title": title, "body": body}
        names = parts.path.split("/")
        if len(names) == 4 and names[1] == "notes" and names[2].isdecimal() and names[3] == "share":
            if self.command == "POST":
                return 200, self.share(database, user, int(names[2]))
        folder, _, name = parts.path.rpartition("/")
        if folder != "/notes" or not name.isdecimal():
            raise Failure(404, "not found")
        note = int(name)
        row = self.find(database, user, note)
        if self.command == "GET":
            return 200, note_of(row)
        if self.command == "PUT":
            title, body = self.content()
            database.execute(
                "UPDATE notes SET title = ?, body = ? WHERE id = ?", (title, body, note)
            )
            return 200, {"id": note, "title": title, "body": body}
        if self.command == "DELETE":
            database.execute("DELETE FROM notes WHERE id = ?", (note,))
            return 204, None
        raise Failure(404, "not found")

    def handle_request(self):
        """Answer within one transaction."""
        database = connect()
        try:
            status, value = self.answer(database)
            database.commit()
        except Failure as failure:
            status, value = failure.status, {"error": str(failure)}
        finally:
            database.close()
        self.reply(status, value)

    do_GET = do_POST = do_PUT = do_DELETE = handle_request


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
