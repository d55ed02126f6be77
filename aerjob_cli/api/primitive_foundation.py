"""What the two primitives stand on: a store, a simulator and its options, and the way of PUBs into a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from qiskit.providers import BackendV2, JobV1

from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import (
    RunRefused,
    RunTypeRefused,
    RunValueRefused,
    raised_as_backend_errors,
)
from aerjob_cli.api.planning import plan_of
from aerjob_cli.api.primitive_job import PrimitiveAerJob
from aerjob_cli.api.provider import BasicAerProvider
from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.api.run_inputs import payloads_of, surroundings_of
from aerjob_cli.catalog import AER_ENGINE, SIMULATORS
from aerjob_cli.codec.envelope import PUBS
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.options import check_options
from aerjob_cli.codec.program import program_of_pubs
from aerjob_cli.codec.program_text import as_clause
from aerjob_cli.codec.pubs import encode_pubs, encode_pubs_to_compare
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named
from aerjob_cli.settings import CIRCUITS_LIMIT
from aerjob_cli.store import forks

if TYPE_CHECKING:
    from aerjob_cli.codec.pubs import Pub

_NOISE = "noise_model"
_GROUPS = ("backend_options", "run_options")
# What options may say of a primitive, and the simulator has no such option.
_DEFAULTS = ("default_shots", "default_precision")
# Theirs is another place: a PUB has shots, a primitive keeps the outcome of each, a job has a seed.
_OWN = ("shots", "memory", "parameter_binds", "seed_simulator")
# A payload has a limit, and what several PUBs share is stored once in each.
_PUBS_PER_PAYLOAD = 500
_PAYLOAD_BYTES = 4 * 2**20

AnyPub = TypeVar("AnyPub")


class JobFields(TypedDict, total=False):
    """What may be said of a primitive's job, as of any other (``BasicAerBackend.run``)."""

    job_name: str | None
    tags: Iterable[str]
    group: str | None
    metadata: Mapping[str, Any]
    priority: int
    time_limit_s: float | None
    max_memory_mb: int | None
    max_attempts: int
    idempotency_key: str | None
    after: Iterable[JobV1 | str]
    after_ok: Iterable[JobV1 | str]
    after_any: Iterable[JobV1 | str]
    hold: bool
    begin: datetime | None
    reuse: bool
    on_end: str | None


@dataclass(frozen=True)
class Foundation:
    """The simulator of a primitive, by its name in the catalog, with checked options and the seed of its jobs.

    ``surroundings`` are the noise and the device under which its circuits run, if any.
    """

    name: str
    provider: BasicAerProvider
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]
    seed: int | None
    surroundings: Surroundings | None

    @classmethod
    def of(
        cls,
        name: str,
        backend: BasicAerProvider | BackendV2 | None,
        *,
        seed: int | None,
        options: Mapping[str, Any] | None,
        noise_model: object,
    ) -> Foundation:
        """Read the arguments of a primitive; raises ``RunRefused``."""
        provider, inherited = _origin(name, backend)
        given = {**inherited, **_flat({} if options is None else options)}
        usual_noise = given.pop(_NOISE, None)
        noise_model = usual_noise if noise_model is None else noise_model
        defaults = {key: given.pop(key) for key in _DEFAULTS if key in given}
        own = {key: given.pop(key) for key in _OWN if key in given}
        seed = own.get("seed_simulator") if seed is None else seed
        with raised_as_backend_errors():
            check_options({"seed_simulator": seed, "shots": own.get("shots")}, name)
            return cls(
                name, provider, check_options(given, name), defaults | own, seed, _surroundings(backend, noise_model)
            )

    def submit(self, pubs: Sequence[Pub], *, shots: int | None, job: JobFields) -> PrimitiveAerJob:
        """Make PUBs a durable job; raises ``RunRefused`` before anything is stored."""
        fields: dict[str, Any] = {**job}
        with raised_as_backend_errors():
            request = checked(
                Request(
                    circuits=(),
                    backend=self.name,
                    shots=shots,
                    seed=self.seed,
                    options=self.options,
                    name=fields.pop("job_name", None),
                    metadata=fields.pop("metadata", None) or {},
                    **fields,
                )
            )
            # What a thread is importing when the process forks is locked in the child for good.
            with forks.none():
                import_module("qiskit.qpy")
                engine = engine_of(SIMULATORS[self.name])
            program = program_of_pubs(pubs, self.surroundings)
            plan = plan_of(program, request, engine)
            is_compared = request.reuse or request.idempotency_key is not None
            encode = encode_pubs_to_compare if is_compared else _encoded
            stored = tuple(CircuitBytes("pubs", PUBS, *encode(group)) for group in _groups(pubs))
            made = replace(request, circuits=stored, beside=payloads_of(program), plan=plan)
            (record,) = self.provider.client.submit([made])
        found = self.provider.job_of(record)
        assert isinstance(found, PrimitiveAerJob)
        return found


def coerced(pubs: Iterable[Any], coerce: Callable[[Any], AnyPub]) -> list[AnyPub]:
    """Make PUBs of what is like them, one at least; raises ``RunRefused``."""
    if isinstance(pubs, (str, bytes)) or not isinstance(pubs, Iterable):
        raise RunTypeRefused(f"run() got something of type {type(pubs).__name__}; it takes a list of PUBs")
    listed = []
    for index, pub in enumerate(pubs):
        try:
            listed.append(coerce(pub))
        except TypeError as error:
            raise RunTypeRefused(_no_pub(index, error)) from error
        except ValueError as error:
            raise RunValueRefused(_no_pub(index, error)) from error
    if not listed:
        raise RunRefused("run() got no PUBs; a job needs at least one")
    if len(listed) > CIRCUITS_LIMIT:
        raise RunRefused(f"run() got {len(listed)} PUBs; a job may have {CIRCUITS_LIMIT}, so submit several")
    return listed


def _no_pub(index: int, error: Exception) -> str:
    return f"PUB {index} cannot be run ({as_clause(str(error))}); correct it"


def _origin(name: str, backend: BasicAerProvider | BackendV2 | None) -> tuple[BasicAerProvider, dict[str, Any]]:
    """Give the provider, and the options that its simulator brings along."""
    if backend is None:
        return BasicAerProvider(), {}
    if isinstance(backend, BasicAerProvider):
        return backend, {}
    if not isinstance(backend, BasicAerBackend):
        raise RunTypeRefused(
            f"a primitive got something of type {type(backend).__name__}; give it a BasicAerProvider, or a simulator "
            "of one"
        )
    simulator = simulator_named(backend.name)
    chosen = {"method": simulator.method, **{key: value for key, value in backend.options.items() if value is not None}}
    if simulator.engine != AER_ENGINE or chosen["method"] not in SIMULATORS[name].methods:
        raise RunRefused(
            f"the {name} runs on Aer, by the method {', '.join(SIMULATORS[name].methods)}, and {backend.name} has "
            f"{chosen['method']!r}; give it the aer_simulator"
        )
    # How often a backend runs a circuit by itself says nothing about PUBs.
    return backend.provider, {key: value for key, value in chosen.items() if key not in ("shots", "memory")}


def _surroundings(backend: BasicAerProvider | BackendV2 | None, noise_model: object) -> Surroundings | None:
    if isinstance(backend, BasicAerBackend):
        return backend.surroundings(noise_model)
    return None if noise_model is None else surroundings_of(noise_model)


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    flat = {key: value for key, value in options.items() if key not in _GROUPS}
    for group in _GROUPS:
        flat |= dict(options.get(group) or {})
    return flat


def _encoded(pubs: Sequence[Pub]) -> tuple[bytes, None]:
    return encode_pubs(pubs), None


def _groups(pubs: Sequence[Pub]) -> Iterator[list[Pub]]:
    group: list[Pub] = []
    size_bytes = 0
    for pub in pubs:
        values_bytes = sum(array.nbytes for array in pub.parameter_values.data.values())
        if group and (len(group) >= _PUBS_PER_PAYLOAD or size_bytes + values_bytes > _PAYLOAD_BYTES):
            yield group
            group, size_bytes = [], 0
        group.append(pub)
        size_bytes += values_bytes
    yield group
