"""Power cuts in a recorded run of aerjob: what was promised before each, and whether the disk then still has it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aerjob_cli.api.client import Client
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.database import Store
from aerjob_cli.store.inspection import inspect_store
from tests.faults.support.disk_images import EVERYTHING, Disk, Image, Make
from tests.faults.support.disk_trace import Event, Said, Synced

# How the recorded commands say that a job is accepted (`aerjob submit` prints the id and nothing else), and that a
# reader has seen it DONE.
_ACCEPTED = re.compile(r"^([0-9a-f-]{36})$", re.MULTILINE)
_DONE = re.compile(r"^done ([0-9a-f-]{36})$", re.MULTILINE)
# Nothing that a store promises is in these. The -shm file is memory, and is made anew after a crash.
_IS_NO_TRUTH = re.compile(r"/(doorbell|gong|worker\.log|[^/]*-shm)[^/]*$")

Results = list[tuple[int, bytes, list[tuple[str, bytes]]]]


@dataclass(frozen=True)
class Promises:
    """The jobs whose ids were printed, and those that a reader has seen DONE."""

    accepted: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()

    def and_those_in(self, text: str) -> Promises:
        return Promises(self.accepted | set(_ACCEPTED.findall(text)), self.done | set(_DONE.findall(text)))


@dataclass(frozen=True)
class Content:
    """What a job was submitted with, and what came of it: names, formats and bytes."""

    circuits: list[tuple[str, str, bytes]]
    results: Results

    @classmethod
    def of(cls, client: Client, job_id: str) -> Content:
        record = client.find(job_id)
        return cls(
            circuits=[(item.name, item.format, item.data) for item in client.circuits(record)],
            results=[
                (item.position, item.data, [(array.name, bytes(array.load())) for array in item.arrays])
                for item in client.results(record)
            ],
        )


@dataclass(frozen=True)
class Cut:
    """One way in which the power may have failed; ``make`` gives what is on the disk then."""

    point: str
    promises: Promises
    make: Make


@dataclass
class Recording:
    """The events of a run on a store, and what its jobs are when nothing goes wrong."""

    disk: Path
    home: Path
    events: Sequence[Event]
    seed: int
    contents: dict[str, Content] = field(default_factory=dict)

    def require_complete(self) -> None:
        """Assert that all that was written was seen: otherwise the images were those of another run."""
        disk = self._new_disk()
        for event in self.events:
            disk.follow(event)
        (image,) = [make() for name, make in disk.cut("") if name.endswith(EVERYTHING)]
        there = [path for path in self.disk.rglob("*") if path.is_file() and not _is_no_truth(str(path))]
        seen = {str(path.relative_to(self.disk)): path.read_bytes() for path in there}
        differing = [name for name in seen.keys() | image.files.keys() if image.files.get(name) != seen.get(name)]
        assert not differing, f"the trace is not all that happened to {differing}"

    def remember(self) -> None:
        """Read what all promised jobs hold, from the store that the run has left."""
        client = Client(Settings(paths=StorePaths(self.home)))
        promises = self._promises()
        self.contents = {job_id: Content.of(client, job_id) for job_id in promises.accepted}
        for job_id in promises.done:
            assert self.contents[job_id].results
        client.close()

    def _promises(self) -> Promises:
        return Promises().and_those_in("".join(event.text for event in self.events if isinstance(event, Said)))

    def cuts(self, since: int = 0) -> Iterator[Cut]:
        """Give every power cut: before and after each sync, and at the end, with each thing that may be lost then.

        Those before the line ``since`` of the trace are left out.
        """
        disk = self._new_disk()
        said, number = "", 0
        for event in self.events:
            if isinstance(event, Said):
                said += event.text
                continue
            if isinstance(event, Synced) and event.began >= since:
                number += 1
                where = f"sync {number} ({os.path.basename(event.path)})"
                yield from self._cuts_now(disk, f"before {where}", said)
                disk.follow(event)
                yield from self._cuts_now(disk, f"after {where}", said)
            else:
                disk.follow(event)
        yield from self._cuts_now(disk, "at the end", said)

    def _new_disk(self) -> Disk:
        return Disk(self.disk, is_ignored=_is_no_truth, random=Random(self.seed))

    def _cuts_now(self, disk: Disk, point: str, said: str) -> Iterator[Cut]:
        promises = Promises().and_those_in(said)
        for name, make in disk.cut(point):
            yield Cut(name, promises, make)


def _is_no_truth(path: str) -> bool:
    return _IS_NO_TRUTH.search(path) is not None


class Examination:
    """Puts images on a real disk, one after the other, and opens them as the next command would."""

    def __init__(self, recording: Recording, place: Path) -> None:
        self._recording = recording
        self._root = place / "image"
        self.paths = StorePaths(self._root / recording.home.relative_to(recording.disk))
        self._seen: set[int] = set()
        self._made_anew: set[frozenset[str]] = set()
        self.opened = 0

    def require_kept(self, cut: Cut) -> None:
        """Assert that the store opens, is sound, and holds all that was promised before the power failed."""
        image = cut.make()
        key = hash((cut.promises, tuple(sorted(image.files.items())), tuple(sorted(image.folders))))
        if key in self._seen:
            return
        self._seen.add(key)
        try:
            self._examine(image, cut.promises)
        except Exception as error:
            raise AssertionError(f"a power cut {cut.point}: {type(error).__name__}: {error}") from error

    def _examine(self, image: Image, promises: Promises) -> None:
        self.put(image)
        if not os.path.lexists(self.paths.database):
            assert not promises.accepted, f"the store is gone, and {len(promises.accepted)} jobs with it"
            if frozenset(image.files) in self._made_anew:
                return  # half a second each: one is made over every set of leftovers
            self._made_anew.add(frozenset(image.files))
        self.opened += 1
        self.require_held(promises)

    def put(self, image: Image) -> None:
        """Put an image in the place of the last one."""
        shutil.rmtree(self._root, ignore_errors=True)
        image.write(self._root)

    def require_held(self, promises: Promises) -> None:
        """Assert that the store that is there now opens, is sound, and holds all of that."""
        store = Store.open(self.paths)
        try:
            client = Client(Settings(paths=self.paths), store)
            for job_id in promises.accepted:
                found, expected = Content.of(client, job_id), self._recording.contents[job_id]
                assert found.circuits == expected.circuits, f"job {job_id} has other circuits"
                if job_id in promises.done:
                    assert client.find(job_id).status is Status.DONE, f"job {job_id} was DONE"
                    assert found.results == expected.results, f"job {job_id} has other results"
        finally:
            store.close()
        findings = inspect_store(self.paths)
        assert findings.is_sound, findings.problems

    def running(self, promises: Promises) -> list[str]:
        """Name the accepted jobs that are RUNNING in the image that is there now."""
        if not os.path.lexists(self.paths.database):
            return []
        store = Store.open(self.paths)
        try:
            client = Client(Settings(paths=self.paths), store)
            return [job_id for job_id in promises.accepted if client.find(job_id).status is Status.RUNNING]
        finally:
            store.close()
