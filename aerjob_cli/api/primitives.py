"""Qiskit's primitives whose jobs survive the process that ran them: drop-in for those of ``qiskit_aer.primitives``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2
from qiskit.primitives.containers.estimator_pub import EstimatorPub, EstimatorPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub, SamplerPubLike
from qiskit.providers import BackendV2

from aerjob_cli.api.primitive_foundation import Foundation, JobFields, coerced
from aerjob_cli.api.primitive_job import PrimitiveAerJob
from aerjob_cli.api.provider import BasicAerProvider
from aerjob_cli.catalog import DEFAULT_SHOTS, ESTIMATOR, SAMPLER

_EXACT = 0.0


class _Durable:
    """What both primitives have."""

    _foundation: Foundation

    @property
    def seed(self) -> int | None:
        """The seed of each job; None where each draws its own."""
        return self._foundation.seed

    @property
    def options(self) -> dict[str, Any]:
        """The options of the simulation that differ from the usual; a copy."""
        return dict(self._foundation.options)


class DurableSampler(_Durable, BaseSamplerV2):
    """A sampler on Aer whose jobs are in a store before ``run()`` returns.

    ``backend`` is a provider or one of its Aer simulators, whose options count; without it the store is that of
    ``AERJOB_HOME``. ``options`` are those of ``AerSimulator``, by themselves or in ``backend_options`` and
    ``run_options`` as Aer's sampler has them; ``noise_model`` is one of ``qiskit_aer.noise``. Without a ``seed`` each
    job is given one, which is stored with it. Raises ``RunRefused`` for an option that cannot be.
    """

    def __init__(
        self,
        backend: BasicAerProvider | BackendV2 | None = None,
        *,
        default_shots: int | None = None,
        seed: int | None = None,
        options: Mapping[str, Any] | None = None,
        noise_model: object = None,
    ) -> None:
        self._foundation = Foundation.of(SAMPLER, backend, seed=seed, options=options, noise_model=noise_model)
        given = self._foundation.defaults.get("default_shots")
        self._default_shots = next((shots for shots in (default_shots, given) if shots is not None), DEFAULT_SHOTS)

    @property
    def default_shots(self) -> int:
        """How often a circuit is run when neither its PUB nor ``run()`` says so."""
        return self._default_shots

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None, **job: Unpack[JobFields]
    ) -> PrimitiveAerJob:
        """Check the PUBs, store them as one job and return it; a worker is woken to run it, PUB by PUB.

        ``job`` are ``job_name``, ``tags`` and the others of ``backend.run``. Raises ``RunRefused`` (a ``QiskitError``,
        and a ``ValueError`` or ``TypeError`` where Qiskit raises that) before anything is stored.
        """
        usual = self._default_shots if shots is None else shots
        listed: list[SamplerPub] = coerced(pubs, lambda pub: SamplerPub.coerce(pub, usual))
        for index, pub in enumerate(listed):
            if not pub.circuit.cregs:
                warnings.warn(
                    f"PUB {index} has no classical register, and so its result will be empty; add measurements",
                    UserWarning,
                    stacklevel=2,
                )
        return self._foundation.submit(listed, shots=usual, job=job)


class DurableEstimator(_Durable, BaseEstimatorV2):
    """An estimator on Aer whose jobs are in a store before ``run()`` returns.

    Values are exact, and to those of a PUB with a precision above 0 normal noise of that standard deviation is added,
    as by Aer's estimator. The arguments are those of ``DurableSampler``; ``shots`` among the options says over how many
    runs a circuit is averaged that is random itself (noise, measurements in its middle).
    """

    def __init__(
        self,
        backend: BasicAerProvider | BackendV2 | None = None,
        *,
        default_precision: float | None = None,
        seed: int | None = None,
        options: Mapping[str, Any] | None = None,
        noise_model: object = None,
    ) -> None:
        self._foundation = Foundation.of(ESTIMATOR, backend, seed=seed, options=options, noise_model=noise_model)
        given = self._foundation.defaults.get("default_precision")
        self._default_precision = next((found for found in (default_precision, given) if found is not None), _EXACT)

    @property
    def default_precision(self) -> float:
        """The precision of a PUB when neither it nor ``run()`` says so; 0 is exact."""
        return self._default_precision

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None, **job: Unpack[JobFields]
    ) -> PrimitiveAerJob:
        """Check the PUBs, store them as one job and return it; a worker is woken to run it, PUB by PUB.

        ``job`` are ``job_name``, ``tags`` and the others of ``backend.run``. Raises ``RunRefused`` (a ``QiskitError``,
        and a ``ValueError`` or ``TypeError`` where Qiskit raises that) before anything is stored.
        """
        usual = self._default_precision if precision is None else precision
        listed: list[EstimatorPub] = coerced(pubs, lambda pub: EstimatorPub.coerce(pub, usual))
        return self._foundation.submit(listed, shots=self._foundation.defaults.get("shots"), job=job)
