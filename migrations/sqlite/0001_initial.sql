-- Jobs, what changes of them at every fire, their runs, the logs of runs, what targets report, their calendars,
-- backfills, what is told of all that, and answers to repeated requests.
--
-- Instants are milliseconds since the epoch, ids are 16 bytes, documents are JSON text.

-- What people write. Wide, and rewritten only when somebody edits the job.
CREATE TABLE jobs (
    id BLOB NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The name in lower case as the program understands it: searched in, so that all stores find the same.
    name_lower TEXT NOT NULL,
    -- A filter looks into every row's labels, so one that is not JSON would break every list.
    labels TEXT NOT NULL CHECK (json_valid(labels)),
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (project, name)
) STRICT;

-- Lists in the order of creation.
CREATE INDEX jobs_project_id_idx ON jobs (project, id);

-- What firing reads and writes.
CREATE TABLE job_state (
    job_id BLOB NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    state INTEGER NOT NULL,
    next_fire_at INTEGER,
    -- Runs of the schedule since the job was created.
    runs_started INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX job_state_due_idx ON job_state (next_fire_at) WHERE next_fire_at IS NOT NULL;
-- Paused and invalid jobs, of which there are few: what people ask for first. Firing never touches it.
CREATE INDEX job_state_idle_idx ON job_state (state, job_id) WHERE state IN (1, 3);

-- No reference to jobs: runs outlive them.
CREATE TABLE runs (
    -- Begins with the nominal time, so the order of ids is the order of time.
    id BLOB NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    job_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    status INTEGER NOT NULL,
    scheduled_for INTEGER NOT NULL,
    due_at INTEGER,
    token INTEGER NOT NULL,
    worker TEXT,
    cancel_requested INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    document TEXT NOT NULL,
    -- An unfinished run that is never due would be lost for good.
    CHECK ((due_at IS NULL) = (finished_at IS NOT NULL))
) STRICT;

-- Lists of all of a project's runs walk along the key: an index of their own would be written twice for every run.
CREATE INDEX runs_job_idx ON runs (job_id, id);
-- Both hold the unfinished runs.
CREATE INDEX runs_due_idx ON runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX runs_active_idx ON runs (job_id) WHERE finished_at IS NULL;

-- Read and written only when people keep calendars or jobs: each job carries a copy of those it uses.
CREATE TABLE calendars (
    project TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Also lists them in the order of their names.
    PRIMARY KEY (project, name)
) STRICT;

-- Written once a few runs; a document holds its job's timing, and the payload of its runs.
CREATE TABLE backfills (
    id BLOB NOT NULL PRIMARY KEY,
    project TEXT NOT NULL,
    job_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    -- Until it has ended.
    due_at INTEGER,
    created_at INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE INDEX backfills_job_idx ON backfills (job_id, id);
CREATE INDEX backfills_due_idx ON backfills (due_at) WHERE due_at IS NOT NULL;

-- For counting them. No references: runs may go before their backfill.
CREATE TABLE backfill_runs (
    backfill_id BLOB NOT NULL,
    run_id BLOB NOT NULL,
    PRIMARY KEY (backfill_id, run_id)
) STRICT, WITHOUT ROWID;

-- Runs of jobs with a limit that are carried out. Good while the run is leased with that token.
CREATE TABLE slots (
    job_id BLOB NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    run_id BLOB NOT NULL,
    token INTEGER NOT NULL,
    PRIMARY KEY (job_id, run_id)
) STRICT, WITHOUT ROWID;

-- What has happened, to be read in order: one row for all that a statement did. `deed` is which of the store's methods
-- it was; each entry is a project, a job, a run (null where it is the job itself), and where that stood afterwards.
CREATE TABLE events (
    -- The last one is never removed, so a number is never used twice, and there is always one to read on from.
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL DEFAULT (unixepoch() * 1000),
    deed INTEGER NOT NULL,
    entries TEXT NOT NULL
) STRICT;

INSERT INTO events (deed, entries) VALUES (0, '[]');

-- What one of all processes does now and then, and when it is due again.
CREATE TABLE chores (
    name TEXT NOT NULL PRIMARY KEY,
    next_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The logs of runs, in chunks of lines. A run without a log costs nothing here.
CREATE TABLE run_logs (
    run_id BLOB NOT NULL,
    -- The number of the last line of the chunk before. Two writers at once take the same, and one of them takes the next.
    after_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    -- By the size of all that was ever written.
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (run_id, after_seq)
) STRICT;

-- What targets report of attempts whose work they have taken, by the token of the lease under which they were called.
CREATE TABLE run_reports (
    run_id BLOB NOT NULL,
    token INTEGER NOT NULL,
    progress TEXT,
    -- Written once: whoever comes first decides how the attempt ended.
    conclusion TEXT,
    PRIMARY KEY (run_id, token)
) STRICT, WITHOUT ROWID;

-- What all replicas must agree on and nobody has to set.
CREATE TABLE service_secrets (
    name TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Small things by their kind and key: API keys by the digest of their text, projects by their name.
CREATE TABLE records (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    project TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    reserved_at INTEGER NOT NULL,
    answer TEXT,
    PRIMARY KEY (project, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_reserved_at_idx ON idempotency_keys (reserved_at);
