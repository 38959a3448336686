-- What the ledger holds: one study (or one import), every version of its plan.
CREATE TABLE study (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    kind    TEXT NOT NULL CHECK (kind IN ('study', 'import')),
    name    TEXT NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

-- `questions` is the canonical JSON that `hash` is the SHA-256 of; `plan` adds what is no part of the question.
CREATE TABLE plan (
    version   INTEGER PRIMARY KEY,
    hash      BLOB NOT NULL,
    at_ms     INTEGER NOT NULL,
    reason    TEXT,
    changes   TEXT,
    answers   INTEGER NOT NULL,
    questions TEXT NOT NULL,
    plan      TEXT NOT NULL
) STRICT;

-- Every opening for writing. An attempt without an end belongs to the run that sent it.
CREATE TABLE run (
    id        INTEGER PRIMARY KEY,
    pid       INTEGER NOT NULL,
    host      TEXT NOT NULL,
    program   TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    closed_ms INTEGER
) STRICT;

-- Short texts that repeat: subjects, served models, versions, tasks.
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Trial keys, numbered in the order they are asked, so that the indexes below grow at their end.
CREATE TABLE trial (
    id  INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE
) STRICT;

-- Long contents by hash (the first 16 bytes of SHA-256); `bytes` is zstd, NULL when it lies in a file of its own.
CREATE TABLE body (
    id         INTEGER PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    dictionary INTEGER NOT NULL,
    length     INTEGER NOT NULL,
    bytes      BLOB
) STRICT;

-- One row a call, written before it is sent. `result`: NULL in flight, 0 an answer, above 0 the kind of error.
CREATE TABLE attempt (
    id                INTEGER PRIMARY KEY,
    trial             INTEGER NOT NULL,
    subject           INTEGER NOT NULL,
    run               INTEGER NOT NULL,
    sent_ms           INTEGER NOT NULL,
    reserved_nano_usd INTEGER NOT NULL,
    result            INTEGER,
    ended_ms          INTEGER,
    http_status       INTEGER,
    cost_nano_usd     INTEGER,
    latency_ms        INTEGER,
    tokens_in         INTEGER,
    tokens_out        INTEGER,
    cut               INTEGER,
    served_model      INTEGER,
    fingerprint       INTEGER,
    body              INTEGER,
    message           TEXT
) STRICT;

-- A trial has one answer at most.
CREATE UNIQUE INDEX attempt_answer ON attempt (trial) WHERE result = 0;
CREATE INDEX attempt_failure ON attempt (trial) WHERE result > 0;
CREATE INDEX attempt_open ON attempt (id) WHERE result IS NULL;

-- Extracted code by the scorer's hash of it; the body is a JSON object of files by path.
CREATE TABLE code (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    body INTEGER NOT NULL
) STRICT;

CREATE TABLE score (
    id            INTEGER PRIMARY KEY,
    trial         INTEGER NOT NULL,
    extractor     INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    reason        TEXT,
    refusal       TEXT,
    code          BLOB,
    code_lines    INTEGER,
    audit_hits    INTEGER,
    audit_planted INTEGER,
    false_alarms  INTEGER,
    UNIQUE (trial, extractor)
) STRICT;

CREATE TABLE scan (
    id    INTEGER PRIMARY KEY,
    code  BLOB NOT NULL,
    rules INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    body  INTEGER NOT NULL,
    UNIQUE (code, rules)
) STRICT;

CREATE TABLE proof (
    id    INTEGER PRIMARY KEY,
    code  BLOB NOT NULL,
    task  INTEGER NOT NULL,
    tests INTEGER NOT NULL,
    tier  INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    body  INTEGER NOT NULL,
    UNIQUE (code, task, tests, tier)
) STRICT;

CREATE TABLE imported (
    id      INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL,
    persona INTEGER NOT NULL,
    wording INTEGER,
    task    INTEGER NOT NULL,
    cluster INTEGER NOT NULL,
    repeat  INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    extra   TEXT
) STRICT;

CREATE TABLE note (
    id    INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    run   INTEGER NOT NULL,
    topic TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
