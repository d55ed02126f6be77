"""A simulator as Qiskit's backends describe themselves: target, options, width, status. What runs is elsewhere."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from aerjob_cli.api.backend_errors import raised_as_backend_errors
from aerjob_cli.api.client import Client
from aerjob_cli.api.configuration import BackendConfiguration, BackendStatus, configuration_of
from aerjob_cli.api.initial_states import checked_state, names_for
from aerjob_cli.api.request_checks import whole
from aerjob_cli.api.run_inputs import device_of, surroundings_of
from aerjob_cli.catalog import Simulator
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.options import check_options, options_of
from aerjob_cli.codec.program_text import REGISTER_LIMIT
from aerjob_cli.engines.base import Engine
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.settings import CIRCUITS_LIMIT
from aerjob_cli.store import forks
from aerjob_cli.store.jobs import count_pending
from aerjob_cli.version import __version__

if TYPE_CHECKING:
    from typing import Self

    from aerjob_cli.api.provider import BasicAerProvider

# Options of ``run()`` that are payloads of a job.
_GIVEN_BY_THEMSELVES = ("noise_model", "parameter_binds")

# The engines that this process has imported.
_loaded: set[str] = set()


class DescribedBackend(BackendV2):
    """One simulator of the catalog; two are equal where they are the same simulator of the same store."""

    _provider: BasicAerProvider

    def __init__(self, provider: BasicAerProvider, simulator: Simulator) -> None:
        super().__init__(
            provider=provider,
            name=simulator.name,
            description=simulator.description,
            backend_version=__version__,
        )
        self._simulator = simulator
        self._device: Surroundings | None = None
        self._max_qubits: int | None = None
        self._state_options = names_for(simulator)
        names = dict.fromkeys((*options_of(simulator.name), *_GIVEN_BY_THEMSELVES, *self._state_options))
        self._options = Options(**{**names, "shots": simulator.default_shots, "memory": False})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._simulator.name!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DescribedBackend) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    @property
    def client(self) -> Client:
        """The client of the store that the jobs go to."""
        return self._provider.client

    @property
    def target(self) -> Target:
        """What the simulator runs with its method, on any number of qubits (``num_qubits`` None), or its device's."""
        if self._device is not None:
            with forks.none():
                return import_module("aerjob_cli.engines.noise").gates_under(self._device, self._method).target
        return self._engine().target(self._method)

    def under(self, device: BackendV2) -> Self:
        """Give this simulator with the noise, the gates and the couplings of a device; raises ``RunTypeRefused``."""
        other = type(self)(self._provider, self._simulator)
        with forks.none():
            other._device = device_of(device)
        other.description = f"{self.description}, as {device.name}"
        return other

    @property
    def max_circuits(self) -> int:
        """How many circuits a job may have."""
        return CIRCUITS_LIMIT

    @classmethod
    def _default_options(cls) -> Options:
        # What there is depends on the simulator; the constructor fills it in.
        return Options()

    def set_options(self, **fields: Any) -> None:
        """Set options for the jobs to come.

        Raises ``AttributeError`` for an unknown name, as every backend does, and ``RunRefused`` for a bad value.
        """
        for field in fields:
            if field not in self.options:
                raise AttributeError(f"Options field {field} is not valid for this backend")
        if fields.get("noise_model") is not None:
            surroundings_of(fields["noise_model"])
        with raised_as_backend_errors():
            for name in self._state_options:
                checked_state(name, fields.get(name))
            apart = {*_GIVEN_BY_THEMSELVES, *self._state_options}
            check_options({name: value for name, value in fields.items() if name not in apart}, self._simulator.name)
        super().set_options(**fields)

    def set_max_qubits(self, max_qubits: int | None) -> None:
        """Refuse wider circuits from now on, as Aer's method of that name does; None takes all that can run.

        The target stays without a number of qubits: the transpiler would widen every circuit to it.
        """
        with raised_as_backend_errors():
            self._max_qubits = None if max_qubits is None else whole("max_qubits", max_qubits, 1, REGISTER_LIMIT)

    def configuration(self) -> BackendConfiguration:
        """Describe what the simulator can do, as the first backends of Qiskit did."""
        target = self.target
        couplings = target.build_coupling_map()
        return configuration_of(
            self._simulator,
            method=self._method,
            gates=sorted(target.operation_names),
            couplings=None if couplings is None else [list(edge) for edge in couplings.get_edges()],
            max_qubits=target.num_qubits if self._max_qubits is None else self._max_qubits,
        )

    def properties(self) -> None:
        """Give None: a simulator has no calibration."""
        return

    def status(self) -> BackendStatus:
        """Say that the simulator is there, and how many jobs of its store have not ended."""
        with self.client.store.reading_directly() as tx:
            pending = sum(count_pending(tx).values())
        return BackendStatus(
            backend_name=self._simulator.name,
            backend_version=__version__,
            operational=True,
            pending_jobs=pending,
            status_msg="active",
        )

    @property
    def _method(self) -> str:
        return str(self.options.method or self._simulator.method)

    def _engine(self) -> Engine:
        if self._simulator.engine not in _loaded:
            # What a thread is importing when the process forks is locked in the child for good.
            with forks.none(), raised_as_backend_errors():
                import_module("qiskit.qpy")
                engine_of(self._simulator)
            _loaded.add(self._simulator.engine)
        return engine_of(self._simulator)

    def _identity(self) -> tuple[object, ...]:
        # Whatever has a device is only itself.
        return self._provider.home, self._simulator.name, None if self._device is None else id(self._device)
