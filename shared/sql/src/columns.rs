//! The columns of a job and of a run, in the order in which rows are read. Macros, because `concat!` puts
//! statements together at compile time: what reaches the database is a constant.

/// A job, from `jobs AS j` and `job_state AS s`.
macro_rules! job_columns {
    () => {
        "j.id, j.project, j.name, s.state, s.version, s.next_fire_at, j.labels, j.created_at, j.updated_at, j.document, \
         s.runs_started"
    };
}

/// A run, from `runs AS r`: for SQLite, and for runs that no common lease keeps.
macro_rules! run_columns {
    () => {
        "r.id, r.project, r.job_id, r.kind, r.status, r.scheduled_for, r.due_at, r.token, r.worker, \
         r.cancel_requested, r.created_at, r.finished_at, r.document"
    };
}

/// The same on PostgreSQL, where a run kept by a common lease is due at the end of that.
macro_rules! kept_run_columns {
    () => {
        "r.id, r.project, r.job_id, r.kind, r.status, r.scheduled_for, \
         CASE WHEN coalesce(r.due_at, r.finished_at) IS NULL \
         THEN (SELECT l.until FROM leases AS l WHERE l.id = r.lease) ELSE r.due_at END, \
         r.token, r.worker, r.cancel_requested, r.created_at, r.finished_at, r.document"
    };
}

/// The same without the table's name: for inserting, and for SQLite, whose RETURNING knows no alias.
macro_rules! bare_run_columns {
    () => {
        "id, project, job_id, kind, status, scheduled_for, due_at, token, worker, cancel_requested, created_at, \
         finished_at, document"
    };
}

/// The gist of a run, from `runs AS r`. `$4` is how much of the document is wanted.
macro_rules! gist_columns {
    () => {
        "r.id, r.job_id, r.kind, r.status, r.scheduled_for, r.finished_at, substr(CAST(r.document AS text), 1, $4) AS head"
    };
}

/// A calendar, for reading and for inserting.
macro_rules! calendar_columns {
    () => {
        "project, name, version, created_at, updated_at, document"
    };
}

/// A backfill, for reading and for inserting.
macro_rules! backfill_columns {
    () => {
        "id, project, job_id, version, due_at, created_at, document"
    };
}

/// What a run is inserted from, where its document is a text.
macro_rules! run_insert_values {
    () => {
        "id, project, job_id, kind, status, scheduled_for, due_at, token, worker, cancel_requested, created_at, \
         finished_at, document::json"
    };
}
