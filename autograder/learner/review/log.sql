CREATE TABLE IF NOT EXISTS log (
    place INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    kind TEXT NOT NULL,
    card TEXT NOT NULL,
    rating INTEGER NOT NULL,
    took INTEGER NOT NULL,
    scheduling TEXT NOT NULL,
    about TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS log_of_card ON log (card);
CREATE INDEX IF NOT EXISTS log_by_number ON log (number);
CREATE INDEX IF NOT EXISTS log_of_device ON log (device, at);
CREATE INDEX IF NOT EXISTS log_of_kind ON log (kind) WHERE kind NOT IN ('review', 'cram');
CREATE TABLE IF NOT EXISTS schedulings (id TEXT PRIMARY KEY, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS devices (mark TEXT PRIMARY KEY, device TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cached (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS states (card TEXT PRIMARY KEY, state TEXT NOT NULL)
