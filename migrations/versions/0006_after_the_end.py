"""What becomes of jobs after their end: reuse, retention, another machine, and telling of it.

* What decides about a job's result, as a checksum by which the result of an earlier job is found; and that job's id.
  Jobs of earlier schemas have none, and are not found. Why not the digest of the request, which was there: it takes a
  seed that was drawn for none, so that all jobs of a circuit without one would share it.
* When a job came in from another store. All else of it is as it was there.
* What was removed of a job that is kept: its results, its circuits. Why a table: a final job never changes, and most
  jobs are kept whole or not at all. The guards let go of what this says, and of nothing else.
* A command for the end of a job, and what came of it. Why a trigger makes its row: jobs end in many places, and the
  row must be there exactly when the end is.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_STATEMENTS = (
    "ALTER TABLE jobs ADD COLUMN result_key TEXT",
    "ALTER TABLE jobs ADD COLUMN reused_from TEXT",
    "ALTER TABLE jobs ADD COLUMN imported_us INTEGER",
    "ALTER TABLE jobs ADD COLUMN on_end TEXT",
    "CREATE INDEX ix_jobs_result_key ON jobs (result_key, seq) WHERE result_key IS NOT NULL",
    """
    CREATE TABLE prunings (
        job_seq INTEGER NOT NULL PRIMARY KEY,
        results_us INTEGER,
        circuits_us INTEGER,
        CONSTRAINT fk_prunings_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE end_commands (
        job_seq INTEGER NOT NULL PRIMARY KEY,
        begun_us INTEGER,
        worker_id TEXT,
        finished_us INTEGER,
        outcome TEXT,
        CONSTRAINT fk_end_commands_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_end_commands_due ON end_commands (job_seq) WHERE begun_us IS NULL",
    "CREATE INDEX ix_end_commands_begun ON end_commands (job_seq) WHERE begun_us IS NOT NULL AND finished_us IS NULL",
)

_GUARDS = (
    "DROP TRIGGER experiments_go_with_their_job",
    "DROP TRIGGER arrays_go_with_their_job",
    """
    CREATE TRIGGER experiments_go_with_their_job BEFORE DELETE ON experiments
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
        AND NOT EXISTS (SELECT 1 FROM prunings WHERE job_seq = OLD.job_seq AND results_us IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a stored result goes only with its job, or when it is pruned'); END
    """,
    """
    CREATE TRIGGER arrays_go_with_their_job BEFORE DELETE ON experiment_arrays
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
        AND NOT EXISTS (SELECT 1 FROM prunings WHERE job_seq = OLD.job_seq AND results_us IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a stored array goes only with its job, or when it is pruned'); END
    """,
    """
    CREATE TRIGGER payloads_go_with_their_job BEFORE DELETE ON payloads
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
        AND NOT EXISTS (SELECT 1 FROM prunings WHERE job_seq = OLD.job_seq AND circuits_us IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'submitted circuits go only with their job, or when they are pruned'); END
    """,
    """
    CREATE TRIGGER prunings_are_of_final_jobs BEFORE INSERT ON prunings
    WHEN (SELECT finished_us FROM jobs WHERE seq = NEW.job_seq) IS NULL
    BEGIN SELECT RAISE(ABORT, 'only final jobs are pruned'); END
    """,
    """
    CREATE TRIGGER prunings_stay BEFORE UPDATE ON prunings
    WHEN NEW.job_seq <> OLD.job_seq
        OR (OLD.results_us IS NOT NULL AND NEW.results_us IS NOT OLD.results_us)
        OR (OLD.circuits_us IS NOT NULL AND NEW.circuits_us IS NOT OLD.circuits_us)
    BEGIN SELECT RAISE(ABORT, 'what was pruned stays pruned'); END
    """,
    """
    CREATE TRIGGER prunings_are_not_replaced BEFORE INSERT ON prunings
    WHEN EXISTS (SELECT 1 FROM prunings WHERE job_seq = NEW.job_seq)
    BEGIN SELECT RAISE(ABORT, 'what was pruned stays pruned'); END
    """,
    """
    CREATE TRIGGER prunings_go_with_their_job BEFORE DELETE ON prunings
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
    BEGIN SELECT RAISE(ABORT, 'what was pruned stays pruned'); END
    """,
    """
    CREATE TRIGGER payloads_belong_to_pending_jobs BEFORE INSERT ON payloads
    WHEN (SELECT finished_us FROM jobs WHERE seq = NEW.job_seq) IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a final job gets no circuits'); END
    """,
    """
    CREATE TRIGGER jobs_with_a_command_end AFTER UPDATE OF status ON jobs
    WHEN NEW.on_end IS NOT NULL AND NEW.finished_us IS NOT NULL AND OLD.finished_us IS NULL
    BEGIN INSERT INTO end_commands (job_seq) VALUES (NEW.seq); END
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS + _GUARDS:
        op.execute(statement)
