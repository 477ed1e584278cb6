-- One file for each run. The events are the truth; what a run is can always be had again by replaying them.

CREATE TABLE IF NOT EXISTS run (
    id           TEXT PRIMARY KEY,
    created      REAL NOT NULL,
    core_version INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS event (
    seq  INTEGER PRIMARY KEY,      -- from 1, without a gap
    at   REAL NOT NULL,            -- seconds since the epoch
    kind TEXT NOT NULL,
    body BLOB NOT NULL             -- the JSON of core.events.encode
);

-- Every command that an engine started: what a sweep looks for besides the cookie in the environment.
CREATE TABLE IF NOT EXISTS process (
    run         TEXT NOT NULL,
    task        TEXT NOT NULL,
    attempt     TEXT NOT NULL,
    pid         INTEGER NOT NULL,
    start_ticks INTEGER NOT NULL,  -- since the boot named by boot_id; guards against a pid used again
    boot_id     TEXT NOT NULL
);

-- Wishes of other processes.
CREATE TABLE IF NOT EXISTS inbox (
    place    INTEGER PRIMARY KEY,
    request  TEXT NOT NULL UNIQUE,
    at       REAL NOT NULL,
    wish     BLOB NOT NULL,
    seq      INTEGER,              -- the event that journalled it
    accepted INTEGER,              -- the answer; NULL until there is one
    why      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS inbox_waiting ON inbox (place) WHERE seq IS NULL;
