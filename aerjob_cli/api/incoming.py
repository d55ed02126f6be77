"""Taking the jobs of a bundle in: all of it is looked at before anything is stored, then some are stored at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping

from aerjob_cli.bundles.contents import Contents, Program, program_of
from aerjob_cli.bundles.layout import job_path
from aerjob_cli.bundles.reading import Bundle
from aerjob_cli.errors import AerjobError, BundleConflict
from aerjob_cli.settings import JOBS_PER_TRANSACTION
from aerjob_cli.store import here_already, imports, objects
from aerjob_cli.store.database import Store
from aerjob_cli.store.faults import told
from aerjob_cli.store.garbage import remove_unreferenced
from aerjob_cli.store.imported_jobs import ImportedJob
from aerjob_cli.store.parts import in_parts
from aerjob_cli.store.records import Payload

# Others may not write while jobs come in.
_BYTES_PER_TRANSACTION = 64 * 2**20
# Told how far it is, in a few words.
OnStep = Callable[[str], None]


class Incoming:
    """The jobs of a bundle on their way into a store; ``new`` and ``skipped`` are known once ``look`` has returned."""

    def __init__(self, store: Store, bundle: Bundle) -> None:
        self._store = store
        self._bundle = bundle
        self._contents = Contents(bundle)
        self._sizes: dict[str, int] = {}
        self.new: tuple[str, ...] = ()
        self.skipped: tuple[str, ...] = ()
        self.taken_in: list[str] = []
        self._done = 0

    @property
    def is_complete(self) -> bool:
        return self._done == len(self.new)

    def look(self, *, require_valid: Callable[[Bundle, Iterable[Program]], None], on_step: OnStep) -> None:
        """Look at all of the bundle; ``require_valid`` has somebody else parse the circuits, who may crash at it.

        Raises ``BundleRefused`` or ``BundleConflict``.
        """
        self._require_room()
        for count, _ in enumerate(self._bundle.verify(), start=1):
            on_step(f"{count} files verified")
        named: set[str] = set()
        programs: dict[tuple[object, ...], Program] = {}
        new, skipped = [], []
        for part in in_parts(self._bundle.job_ids, JOBS_PER_TRANSACTION):
            found = [self._bundle.job(job_id) for job_id in part]
            for item in found:
                named.update(file.path for file in item.files)
                named.add(job_path(item.job.job_id))
                self._contents.require_results(item.job)
                self._sizes[item.job.job_id] = sum(file.size_bytes for file in item.files)
            here = self._here([item.job for item in found])
            for item in found:
                program = None if item.job.job_id in here else program_of(item.job)
                if program is not None:
                    programs.setdefault(program.key, program)
            new += [job_id for job_id in part if job_id not in here]
            skipped += [job_id for job_id in part if job_id in here]
            on_step(f"{len(new) + len(skipped)} jobs looked at")
        self._bundle.require_all_named(named)
        if programs:
            on_step(f"the circuits of {len(programs)} jobs are being parsed")
            require_valid(self._bundle, programs.values())
        self.new, self.skipped = tuple(new), tuple(skipped)

    def take_in(self) -> None:
        """Take the next jobs in, all of these or none; they are in ``taken_in`` then."""
        part = self._next()
        jobs = [self._bundle.job(job_id).job for job_id in part]
        large = {sha256: (path, size_bytes) for job in jobs for path, sha256, size_bytes in self._contents.large(job)}
        try:
            self._put(large)
            fresh = self._store_part(part, jobs, large)
        except BaseException:
            # What was put and is referred to by nobody is waste; where it cannot be removed, it harms nobody.
            with contextlib.suppress(OSError, AerjobError):
                remove_unreferenced(self._store, large)
            raise
        self._done += len(part)
        self.taken_in += fresh
        self.skipped += tuple(job_id for job_id in part if job_id not in fresh)

    def _store_part(self, part: list[str], jobs: list[ImportedJob], large: Mapping[str, tuple[str, int]]) -> list[str]:
        """Store some jobs in a transaction, and give the ids of those that nobody else has brought in meanwhile."""
        with self._store.writing_directly() as tx:
            # Somebody may have brought them in meanwhile.
            here = here_already.known(tx, part)
            fresh = [job for job in jobs if job.job_id not in here]
            for job in jobs:
                if job.job_id in here and not here_already.is_same(tx, here[job.job_id], job):
                    raise self._conflict(job, "has other content")
            # From here on nobody removes a file as unreferenced.
            self._put({sha256: file for sha256, file in large.items() if not self._is_there(sha256, file[1])})
            imports.take_in(
                tx,
                fresh,
                payloads_of=self._contents.payloads,
                results_of=self._contents.results,
                why=self._why(),
                now_us=self._store.now_us(),
            )
        return [job.job_id for job in fresh]

    def _require_room(self) -> None:
        found = os.statvfs(self._store.paths.home)
        free_bytes = found.f_bavail * found.f_frsize
        if self._bundle.unpacked_bytes > free_bytes:
            raise self._bundle.refused(
                f"its files have {self._bundle.unpacked_bytes} bytes, and the disk of the store has {free_bytes} left",
                "make room",
            )

    def _here(self, jobs: list[ImportedJob]) -> set[str]:
        """Give the ids of those jobs that are here already and the same; raises ``BundleConflict``."""
        with self._store.reading_directly() as tx:
            here = here_already.known(tx, [job.job_id for job in jobs])
            for job in jobs:
                if job.job_id not in here:
                    continue
                if not here[job.job_id].status.is_final:
                    raise self._conflict(job, "has not ended")
                if not here_already.is_same(tx, here[job.job_id], job):
                    raise self._conflict(job, "has other content")
        return set(here)

    def _conflict(self, job: ImportedJob, fact: str) -> BundleConflict:
        return BundleConflict(self._bundle.name, job.job_id, fact)

    def _next(self) -> list[str]:
        """Give the ids of the jobs of the next transaction."""
        part: list[str] = []
        size_bytes = 0
        for job_id in self.new[self._done : self._done + JOBS_PER_TRANSACTION]:
            size_bytes += self._sizes[job_id]
            if part and size_bytes > _BYTES_PER_TRANSACTION:
                break
            part.append(job_id)
        return part

    def _put(self, large: Mapping[str, tuple[str, int]]) -> None:
        for sha256, (path, _) in large.items():
            with told(self._store.paths.objects):
                objects.put_parts(self._store.paths, sha256, self._bundle.parts(path, sha256))

    def _is_there(self, sha256: str, size_bytes: int) -> bool:
        return objects.is_there(self._store.paths, Payload("", "", sha256, size_bytes, None))

    def _why(self) -> str:
        origin = self._bundle.origin
        told = ", ".join(
            words
            for words, known in (
                (f"of the store {origin['store_uuid']}", origin["store_uuid"]),
                (f"on {origin['host']}", origin["host"]),
                (f"exported at {origin['created_at']}", origin["created_at"]),
            )
            if known is not None
        )
        return f"imported from {self._bundle.name}" + (f" ({told})" if told else "")
