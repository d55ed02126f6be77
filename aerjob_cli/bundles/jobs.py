"""What a bundle says of a job, read as a job that may be taken in: strictly, since it may come from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe
from aerjob_cli.bundles.files import (
    BYTES_LIMIT,
    COUNT_LIMIT,
    MANY,
    SECONDS_LIMIT,
    FileOfJob,
    file_in,
    format_in,
    result_in,
)
from aerjob_cli.bundles.layout import JOB_ID, circuits_path, job_path
from aerjob_cli.codec.envelope import (
    CIRCUIT_FORMATS,
    ESTIMATION,
    NOISE_FORMATS,
    PUBS,
    RUN_FORMATS,
    SWEEP,
)
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import CIRCUITS_LIMIT, PAYLOAD_LIMIT_BYTES
from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store.imported_jobs import End, ImportedJob
from aerjob_cli.store.records import (
    Dependency,
    EventRecord,
    Payload,
    RanExperiment,
    Runtime,
    Submission,
)
from aerjob_cli.store.runtimes import runtime_of

_STORED_LIMIT = 2**63 - 1
_PRIORITY_LIMIT = 1_000_000
_NAME_CHARACTERS = 5000
_MESSAGE_CHARACTERS = 100_000
_JSON_LIMIT_BYTES = 2 * 2**20
_TAGS = 100
_FACTS = 50
_PAYLOAD_FORMATS = CIRCUIT_FORMATS | NOISE_FORMATS | {PUBS, SWEEP, ESTIMATION}
_REASONS = {Status.DONE: frozenset[Reason](), Status.CANCELLED: frozenset({Reason.USER_CANCELLED})}


@dataclass(frozen=True, slots=True)
class BundledJob:
    """A job of a bundle, and the files that it has there, that which says all this aside."""

    job: ImportedJob
    files: tuple[FileOfJob, ...]


def job_in(content: Mapping[str, Any], job_id: str) -> BundledJob:
    """Read what ``descriptions`` wrote of a job; raises ``NotAsItShouldBe`` for anything that no ended job can be."""
    fields = Fields(content)
    if fields.matching("job_id", JOB_ID, "the id of a job") != job_id:
        raise NotAsItShouldBe(f"job_id is that of another job than its folder, {job_path(job_id)}")
    files: list[FileOfJob] = []
    runtimes = tuple(_runtime(name, fields) for name in fields.plain("runtimes", _JSON_LIMIT_BYTES))
    asked = _asked(fields, files)
    end = _end(fields)
    results = tuple(result_in(item, job_id, files) for item in fields.objects("results", MANY))
    _require_results(asked, end, results)
    if end.circuits_pruned_us is None and not any(payload.format in RUN_FORMATS for payload in asked.payloads):
        raise NotAsItShouldBe("circuits has none that could run, and none were pruned")
    history = tuple(_event(place, item) for place, item in enumerate(fields.objects("history", MANY)))
    return BundledJob(ImportedJob(asked, end, history, results, runtimes), tuple(files))


def _asked(fields: Fields, files: list[FileOfJob]) -> Submission:
    job_id = fields.matching("job_id", JOB_ID, "the id of a job")
    payloads = tuple(
        _payload(item, job_id, place, files) for place, item in enumerate(fields.objects("circuits", MANY))
    )
    total = fields.optional("experiments_total", lambda name: fields.whole(name, 1, CIRCUITS_LIMIT))
    threads = fields.optional("threads", lambda name: fields.whole(name, 1, COUNT_LIMIT))
    if (total is None) != (threads is None):
        raise NotAsItShouldBe("experiments_total and threads are not known both, or neither")
    tags = {Fields({"tag": tag}, "tags").text("tag") for tag in fields.items("tags", _TAGS)}
    return Submission(
        job_id=job_id,
        payloads=payloads,
        backend=fields.text("backend"),
        method=fields.text("method"),
        shots=fields.whole("shots", 1, COUNT_LIMIT),
        seed=(seed := fields.whole("seed", 0, _STORED_LIMIT)),
        requested_seed=seed,
        memory=fields.flag("memory"),
        options=fields.plain("options", _JSON_LIMIT_BYTES),
        metadata=fields.plain("metadata", _JSON_LIMIT_BYTES),
        name=fields.optional("name", lambda name: fields.text(name, _NAME_CHARACTERS)),
        tags=tuple(sorted(tags)),
        group_name=fields.optional("group", fields.text),
        priority=fields.whole("priority", -_PRIORITY_LIMIT, _PRIORITY_LIMIT),
        time_limit_s=fields.optional("time_limit_s", lambda name: fields.number(name, 0.0, SECONDS_LIMIT)),
        max_memory_mb=fields.optional("max_memory_mb", lambda name: fields.whole(name, 1, _STORED_LIMIT)),
        max_attempts=fields.whole("max_attempts", 1, _STORED_LIMIT),
        retry_of=fields.optional("retry_of", lambda name: fields.matching(name, JOB_ID, "the id of a job")),
        submitted_by=fields.texts("submitted_by", _FACTS),
        counts_required=fields.flag("counts_required"),
        experiments_total=total,
        threads=threads,
        estimated_bytes=fields.optional("estimated_memory_bytes", lambda name: fields.whole(name, 0, BYTES_LIMIT)),
        dependencies=tuple(
            Dependency(item.word("kind", After), item.matching("job_id", JOB_ID, "the id of a job"))
            for item in fields.objects("dependencies", MANY)
        ),
    )


def _end(fields: Fields) -> End:
    status = fields.word("status", Status)
    reason = fields.optional("reason", lambda name: fields.word(name, Reason))
    if not status.is_final:
        raise NotAsItShouldBe(f"status is {status}, and only jobs that have ended are moved")
    allowed = _REASONS.get(status, frozenset(Reason) - {Reason.USER_CANCELLED})
    if (reason is None) == bool(allowed) or (reason is not None and reason not in allowed):
        raise NotAsItShouldBe(f"reason is {reason} with the status {status}")

    def count(name: str) -> int:
        return fields.whole(name, 0, COUNT_LIMIT)

    def place(name: str) -> int | None:
        return fields.optional(name, lambda name: fields.whole(name, 1, COUNT_LIMIT))

    def long_text(name: str) -> str | None:
        return fields.optional(name, lambda name: fields.text(name, _MESSAGE_CHARACTERS, may_be_empty=True))

    def time_us(name: str) -> int | None:
        return fields.optional(name, fields.time_us)

    return End(
        status=status,
        reason=reason,
        message=long_text("message"),
        stderr_tail=long_text("stderr_tail"),
        error_line=place("error_line"),
        error_column=place("error_column"),
        cancel_message=long_text("cancel_message"),
        cancel_requested_us=time_us("cancel_requested_at"),
        engine=fields.optional("engine", fields.text),
        experiments_done=count("experiments_done"),
        validations=count("validations"),
        attempt=count("attempt"),
        attempts_charged=count("attempts_charged"),
        submitted_us=fields.time_us("submitted_at"),
        started_us=time_us("started_at"),
        finished_us=fields.time_us("finished_at"),
        reused_from=fields.optional("reused_from", lambda name: fields.matching(name, JOB_ID, "the id of a job")),
        results_pruned_us=time_us("results_pruned_at"),
        circuits_pruned_us=time_us("circuits_pruned_at"),
    )


def _require_results(asked: Submission, end: End, results: tuple[RanExperiment, ...]) -> None:
    """Refuse results that a job with that end cannot have."""
    total = asked.experiments_total or 0
    positions = [item.position for item in results]
    if len(set(positions)) != len(positions) or any(position >= total for position in positions):
        raise NotAsItShouldBe(f"results has a position twice, or one beyond the {total} experiments")
    if end.experiments_done > total or (end.status is Status.DONE and (end.experiments_done != total or not total)):
        raise NotAsItShouldBe(f"experiments_done is {end.experiments_done} of {total} with the status {end.status}")
    if len(results) > end.experiments_done or (len(results) < end.experiments_done and end.results_pruned_us is None):
        raise NotAsItShouldBe(f"there are {len(results)} results, and experiments_done is {end.experiments_done}")
    # What was given a result has that of another job's attempt, and none of its own.
    if end.reused_from is None and any(item.attempt > end.attempt for item in results):
        raise NotAsItShouldBe("a result is of a later attempt than the last one")


def _payload(fields: Fields, job_id: str, place: int, files: list[FileOfJob]) -> Payload:
    format = format_in(fields, _PAYLOAD_FORMATS)
    file = file_in(fields, circuits_path(job_id, place, format), files)
    if file.size_bytes > PAYLOAD_LIMIT_BYTES:
        raise NotAsItShouldBe(f"{file.path} has {file.size_bytes} bytes, and circuits may have {PAYLOAD_LIMIT_BYTES}")
    return Payload(fields.text("name", _NAME_CHARACTERS), format, file.sha256, file.size_bytes, None)


def _event(place: int, fields: Fields) -> EventRecord:
    return EventRecord(
        seq=place,
        at_us=fields.time_us("at"),
        from_status=fields.optional("from_status", lambda name: fields.word(name, Status)),
        to_status=fields.word("to_status", Status),
        attempt=fields.whole("attempt", 0, COUNT_LIMIT),
        worker_id=fields.optional("worker_id", fields.text),
        why=fields.text("why", _MESSAGE_CHARACTERS, may_be_empty=True),
        runtime_id=fields.optional("runtime_id", fields.text),
    )


def _runtime(name: str, fields: Fields) -> Runtime:
    known = Fields(fields.plain("runtimes", _JSON_LIMIT_BYTES), "runtimes")
    runtime = runtime_of(known.texts(name, _FACTS))
    if runtime.runtime_id != name:
        raise NotAsItShouldBe(f"runtimes has {name!r}, which is not the name of these facts, {runtime.runtime_id}")
    return runtime
