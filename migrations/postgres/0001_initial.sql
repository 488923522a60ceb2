-- Jobs, what changes of them at every fire, their runs, the logs of runs, what targets report, their calendars,
-- backfills, what is told of all that, and answers to repeated requests.
--
-- Texts that are keys have the collation "C": they are compared by bytes, as on every other store, and comparing
-- them by a language's rules would be a third of what inserting a run costs.

-- What people write. Wide, and rewritten only when somebody edits the job.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    project text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    -- The name in lower case as the program understands it: searched in, so that all stores find the same.
    name_lower text NOT NULL,
    labels jsonb NOT NULL,
    -- Nothing looks inside, and jsonb refuses texts with the character 0, which bodies of requests may hold.
    document json NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT jobs_project_name_key UNIQUE (project, name),
    CONSTRAINT jobs_instants_finite CHECK (isfinite(created_at) AND isfinite(updated_at))
);

-- Lists in the order of creation.
CREATE INDEX jobs_project_id_idx ON jobs (project, id);

-- What firing reads and writes. Narrow and half empty: a fire leaves the new row on the page of the old one.
CREATE TABLE job_state (
    job_id uuid PRIMARY KEY REFERENCES jobs ON DELETE CASCADE,
    version bigint NOT NULL,
    state smallint NOT NULL,
    next_fire_at timestamptz,
    -- Runs of the schedule since the job was created.
    runs_started bigint NOT NULL DEFAULT 0,
    -- Of the job's runs under a common lease none that is unfinished has a smaller id.
    open_from uuid,
    -- The program knows no infinity.
    CONSTRAINT job_state_instants_finite CHECK (isfinite(next_fire_at))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX job_state_due_idx ON job_state (next_fire_at) WHERE next_fire_at IS NOT NULL;
-- Paused and invalid jobs, of which there are few: what people ask for first. Firing never touches it.
CREATE INDEX job_state_idle_idx ON job_state (state, job_id) WHERE state IN (1, 3);

-- Runs that are leased as they are fired share one lease, which saves them all of the indexes of unfinished runs. A
-- lease ends with the last of its runs that is neither finished nor kept by a lease of its own.
CREATE TABLE leases (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    until timestamptz NOT NULL,
    run_ids uuid[] NOT NULL,
    CONSTRAINT leases_instants_finite CHECK (isfinite(until))
);

-- Random bytes do not get any smaller.
ALTER TABLE leases ALTER run_ids SET STORAGE EXTERNAL;

CREATE INDEX leases_until_idx ON leases (until);

-- No reference to jobs: runs outlive them. A finished run is two to three times as wide as it was when it started, and
-- stays on its page, so pages begin a third full.
CREATE TABLE runs (
    -- Begins with the nominal time, so the order of ids is the order of time.
    id uuid PRIMARY KEY,
    project text COLLATE "C" NOT NULL,
    job_id uuid NOT NULL,
    kind smallint NOT NULL,
    status smallint NOT NULL,
    scheduled_for timestamptz NOT NULL,
    -- Of an unfinished run; null while it is kept by a common lease, whose end counts then.
    due_at timestamptz,
    lease bigint,
    token bigint NOT NULL,
    worker text,
    cancel_requested boolean NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    document json NOT NULL,
    -- An unfinished run that is never due would be lost for good.
    CONSTRAINT runs_instants_finite CHECK (isfinite(scheduled_for) AND isfinite(due_at)),
    CONSTRAINT runs_due_until_finished CHECK (
        CASE WHEN finished_at IS NULL THEN due_at IS NOT NULL OR lease IS NOT NULL ELSE due_at IS NULL END
    )
) WITH (fillfactor = 35, autovacuum_vacuum_scale_factor = 0.05);

-- Lists of all of a project's runs walk along the key: an index of their own would be written twice for every run.
CREATE INDEX runs_job_idx ON runs (job_id, id);
-- Both hold the unfinished runs that no common lease keeps, and only of these columns: finishing any other run touches
-- no index. Their conditions mean the same and are put in two ways, so that the planner, which cannot know that, never
-- takes one for the other.
CREATE INDEX runs_due_idx ON runs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX runs_active_idx ON runs (job_id) WHERE coalesce(due_at, 'infinity') < 'infinity';

-- Read and written only when people keep calendars or jobs: each job carries a copy of those it uses.
CREATE TABLE calendars (
    project text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    document json NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Also lists them in the order of their names.
    PRIMARY KEY (project, name),
    CONSTRAINT calendars_instants_finite CHECK (isfinite(created_at) AND isfinite(updated_at))
);

-- Written once a few runs; a document holds its job's timing, and the payload of its runs.
CREATE TABLE backfills (
    id uuid PRIMARY KEY,
    project text COLLATE "C" NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL,
    -- Until it has ended.
    due_at timestamptz,
    created_at timestamptz NOT NULL,
    document json NOT NULL,
    CONSTRAINT backfills_instants_finite CHECK (isfinite(due_at) AND isfinite(created_at))
);

CREATE INDEX backfills_job_idx ON backfills (job_id, id);
CREATE INDEX backfills_due_idx ON backfills (due_at) WHERE due_at IS NOT NULL;

-- For counting them. No references: runs may go before their backfill.
CREATE TABLE backfill_runs (
    backfill_id uuid NOT NULL,
    run_id uuid NOT NULL,
    PRIMARY KEY (backfill_id, run_id)
);

-- Runs of jobs with a limit that are carried out. Good while the run is leased with that token.
CREATE TABLE slots (
    job_id uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    run_id uuid NOT NULL,
    token bigint NOT NULL,
    PRIMARY KEY (job_id, run_id)
);

-- What has happened, to be read in order: one row for all that a statement did. `deed` is which of the store's methods
-- it was; the arrays have an entry for each job (whose run is null) and each run, and where it stood afterwards.
CREATE TABLE events (
    -- Transactions commit in any order, and numbers are taken before: only what was written by transactions that are all
    -- older than any still open is read, in their order, so that nothing turns up behind a reader's back.
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    deed smallint NOT NULL,
    projects text[] NOT NULL,
    job_ids uuid[] NOT NULL,
    run_ids uuid[] NOT NULL,
    statuses smallint[] NOT NULL,
    PRIMARY KEY (xid, seq)
);

-- Random bytes do not get any smaller.
ALTER TABLE events ALTER job_ids SET STORAGE EXTERNAL, ALTER run_ids SET STORAGE EXTERNAL;

-- So that there is always one to read on from: the last one is never removed.
INSERT INTO events (deed, projects, job_ids, run_ids, statuses) VALUES (0, '{}', '{}', '{}', '{}');

-- What one of all processes does now and then, and when it is due again.
CREATE TABLE chores (
    name text COLLATE "C" PRIMARY KEY,
    next_at timestamptz NOT NULL
);

-- The logs of runs, in chunks of lines. A run without a log costs nothing here.
CREATE TABLE run_logs (
    run_id uuid NOT NULL,
    -- The number of the last line of the chunk before. Two writers at once take the same, and one of them takes the next.
    after_seq bigint NOT NULL,
    last_seq bigint NOT NULL,
    -- By the size of all that was ever written.
    starts_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    lines text NOT NULL,
    PRIMARY KEY (run_id, after_seq)
);

-- What targets report of attempts whose work they have taken, by the token of the lease under which they were called.
CREATE TABLE run_reports (
    run_id uuid NOT NULL,
    token bigint NOT NULL,
    progress text,
    -- Written once: whoever comes first decides how the attempt ended.
    conclusion text,
    PRIMARY KEY (run_id, token)
);

-- What all replicas must agree on and nobody has to set.
CREATE TABLE service_secrets (
    name text NOT NULL PRIMARY KEY,
    secret bytea NOT NULL
);

-- Small things by their kind and key: API keys by the digest of their text, projects by their name.
CREATE TABLE records (
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE TABLE idempotency_keys (
    project text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    reserved_at timestamptz NOT NULL,
    answer text,
    PRIMARY KEY (project, key)
);

CREATE INDEX idempotency_keys_reserved_at_idx ON idempotency_keys (reserved_at);
