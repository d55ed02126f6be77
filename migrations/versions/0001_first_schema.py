"""The first schema: jobs with their circuits, results and history, and the workers that run them.

Why the triggers: DONE, ERROR and CANCELLED are final, and results stay what they were. The code writes with guards,
and the database refuses whatever would get past them. `INSERT OR REPLACE` deletes without firing UPDATE triggers,
hence the ones before INSERT.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE store_identity (
        singleton INTEGER NOT NULL PRIMARY KEY,
        store_uuid TEXT NOT NULL,
        created_us INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        CONSTRAINT ck_store_identity_one_row CHECK (singleton = 1)
    )
    """,
    """
    CREATE TABLE jobs (
        seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        job_id TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        message TEXT,
        stderr_tail TEXT,
        name TEXT,
        backend TEXT NOT NULL,
        method TEXT NOT NULL,
        shots INTEGER NOT NULL,
        seed INTEGER NOT NULL,
        memory INTEGER NOT NULL,
        options TEXT NOT NULL,
        metadata TEXT NOT NULL,
        counts_required INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        time_limit_s FLOAT,
        max_memory_mb INTEGER,
        max_attempts INTEGER NOT NULL,
        idempotency_key TEXT,
        request_sha256 TEXT NOT NULL,
        retry_of TEXT,
        experiments_total INTEGER,
        threads INTEGER,
        experiments_done INTEGER NOT NULL,
        validations INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        attempts_charged INTEGER NOT NULL,
        worker_id TEXT,
        claim_token TEXT,
        cancel_requested_us INTEGER,
        engine TEXT,
        submitted_us INTEGER NOT NULL,
        started_us INTEGER,
        finished_us INTEGER,
        CONSTRAINT uq_jobs_job_id UNIQUE (job_id),
        CONSTRAINT uq_jobs_idempotency_key UNIQUE (idempotency_key),
        CONSTRAINT ck_jobs_status CHECK (status IN (
            'INITIALIZING', 'VALIDATING', 'QUEUED', 'RUNNING', 'DONE', 'ERROR', 'CANCELLED')),
        CONSTRAINT ck_jobs_reason CHECK ((reason IS NOT NULL) = (status IN ('ERROR', 'CANCELLED'))),
        CONSTRAINT ck_jobs_finished CHECK (
            (finished_us IS NOT NULL) = (status IN ('DONE', 'ERROR', 'CANCELLED'))),
        CONSTRAINT ck_jobs_claimed CHECK ((claim_token IS NOT NULL) = (status IN ('VALIDATING', 'RUNNING')))
    )
    """,
    "CREATE INDEX ix_jobs_queue ON jobs (priority DESC, seq) WHERE status = 'QUEUED'",
    "CREATE INDEX ix_jobs_pending ON jobs (status, seq) WHERE finished_us IS NULL",
    "CREATE INDEX ix_jobs_status ON jobs (status, seq)",
    """
    CREATE TABLE job_tags (
        tag TEXT NOT NULL,
        job_seq INTEGER NOT NULL,
        PRIMARY KEY (tag, job_seq),
        CONSTRAINT fk_job_tags_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    "CREATE INDEX ix_job_tags_job_seq ON job_tags (job_seq)",
    """
    CREATE TABLE payloads (
        payload_id INTEGER NOT NULL PRIMARY KEY,
        job_seq INTEGER NOT NULL,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        data BLOB,
        CONSTRAINT fk_payloads_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX uq_payloads_job_seq_position ON payloads (job_seq, position)",
    """
    CREATE TABLE experiments (
        job_seq INTEGER NOT NULL,
        position INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        name TEXT NOT NULL,
        shots INTEGER NOT NULL,
        format TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        data BLOB,
        PRIMARY KEY (job_seq, position),
        CONSTRAINT fk_experiments_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE events (
        seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        job_seq INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        from_status TEXT,
        to_status TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        worker_id TEXT,
        why TEXT NOT NULL,
        CONSTRAINT fk_events_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_events_job_seq ON events (job_seq, seq)",
    """
    CREATE TABLE workers (
        worker_id TEXT NOT NULL PRIMARY KEY,
        host TEXT NOT NULL,
        boot_id TEXT NOT NULL,
        pid INTEGER NOT NULL,
        pid_started TEXT NOT NULL,
        children TEXT NOT NULL,
        slots INTEGER NOT NULL,
        lease_s FLOAT NOT NULL,
        aerjob_version TEXT NOT NULL,
        qiskit_version TEXT,
        aer_version TEXT,
        started_us INTEGER NOT NULL,
        heartbeat_us INTEGER NOT NULL,
        heartbeat_monotonic_s FLOAT NOT NULL,
        drain_requested_us INTEGER,
        ended_us INTEGER,
        "end" TEXT
    )
    """,
    "CREATE INDEX ix_workers_alive ON workers (started_us) WHERE ended_us IS NULL",
)

_GUARDS = (
    """
    CREATE TRIGGER jobs_final_is_final BEFORE UPDATE ON jobs
    WHEN OLD.status IN ('DONE', 'ERROR', 'CANCELLED')
    BEGIN SELECT RAISE(ABORT, 'a final job never changes'); END
    """,
    """
    CREATE TRIGGER jobs_final_is_not_replaced BEFORE INSERT ON jobs
    WHEN EXISTS (
        SELECT 1 FROM jobs WHERE status IN ('DONE', 'ERROR', 'CANCELLED') AND (
            seq = NEW.seq OR job_id = NEW.job_id
            OR (NEW.idempotency_key IS NOT NULL AND idempotency_key = NEW.idempotency_key)))
    BEGIN SELECT RAISE(ABORT, 'a final job is never replaced'); END
    """,
    """
    CREATE TRIGGER experiments_stay BEFORE UPDATE ON experiments
    BEGIN SELECT RAISE(ABORT, 'a stored result never changes'); END
    """,
    """
    CREATE TRIGGER experiments_are_not_replaced BEFORE INSERT ON experiments
    WHEN EXISTS (SELECT 1 FROM experiments WHERE job_seq = NEW.job_seq AND position = NEW.position)
    BEGIN SELECT RAISE(ABORT, 'a stored result is never replaced'); END
    """,
    """
    CREATE TRIGGER experiments_belong_to_running_jobs BEFORE INSERT ON experiments
    WHEN (SELECT status FROM jobs WHERE seq = NEW.job_seq) IS NOT 'RUNNING'
    BEGIN SELECT RAISE(ABORT, 'only a running job gets results'); END
    """,
    """
    CREATE TRIGGER experiments_go_with_their_job BEFORE DELETE ON experiments
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
    BEGIN SELECT RAISE(ABORT, 'a stored result goes only with its job'); END
    """,
    """
    CREATE TRIGGER payloads_stay BEFORE UPDATE ON payloads
    BEGIN SELECT RAISE(ABORT, 'submitted circuits never change'); END
    """,
)


def upgrade() -> None:
    for statement in _TABLES + _GUARDS:
        op.execute(statement)
