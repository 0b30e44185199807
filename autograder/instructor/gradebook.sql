CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    student TEXT NOT NULL,
    lesson TEXT NOT NULL,
    exercise TEXT NOT NULL,
    status TEXT NOT NULL,
    score REAL NOT NULL,
    max_score REAL NOT NULL,
    sha256 TEXT,
    round TEXT NOT NULL,
    graded_at TEXT NOT NULL,
    version TEXT NOT NULL,
    result TEXT NOT NULL,
    private TEXT NOT NULL,
    handed_in TEXT NOT NULL DEFAULT '{}',
    key TEXT
);
CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (run, student, lesson, exercise);
CREATE TABLE IF NOT EXISTS taken (run TEXT NOT NULL, attempt INTEGER NOT NULL, handed_in TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS taken_of_run ON taken (run);
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, request TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS people (student TEXT PRIMARY KEY, person TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS overrides (id INTEGER PRIMARY KEY, student TEXT NOT NULL, override TEXT NOT NULL)
