"""EDGE: orders as tasks of a Ray cluster. Ray is imported when an engine is made, and not before."""

import logging
import os
import socket
from typing import Any

from attribution.errors import BadInput, WhenceError
from indexer.config.installed import installed
from indexer.config.run import Run
from indexer.engines.order import Lost, Order, Work

OBJECTS = 80 << 20  # bytes of Ray's own store: results go to the storage, only orders pass through it
REACHED = 10.0  # seconds in which the head has to answer


class OnRay:
    """A cluster that is joined by its address, or one of this machine alone that ends with the build."""

    def __init__(self, run: Run, work: Work) -> None:
        installed("ray")
        _refuse_unreachable(run.address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        self._ray = ray
        own: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECTS}
        try:
            ray.init(
                address=run.address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if run.address else own),
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            said = " ".join(str(error).split())[:200]
            where = f"at {run.address}" if run.address else "on this machine"
            raise BadInput(
                f"expected a Ray cluster {where}, found: {said}; start it, or correct [run] address"
            ) from None
        wanted = {"CPU": run.cpus, "GPU": run.gpus, "memory": run.memory * 1e9}
        there = ray.cluster_resources()
        for name, n in wanted.items():
            if there.get(name, 0) < n:
                self.close()
                raise BadInput(
                    f"expected {n:g} {name} in the Ray cluster for each task, found {there.get(name, 0):g} in all of "
                    f"it; add nodes, or ask for less in [run]"
                )
        room = int(min(there[name] // n for name, n in wanted.items() if n))
        self.slots = min(room, run.tasks or room)
        # max_retries: what is lost is handed out again by the build, which knows what its node had left
        needs: dict[str, Any] = {"num_cpus": run.cpus, "num_gpus": run.gpus, "max_retries": 0}
        needs |= {"memory": int(run.memory * 1e9)} if run.memory else {}
        self._work = ray.remote(**needs)(work)

    def submit(self, order: Order) -> "RayTask":
        return RayTask(self._ray, order, self._work.remote(order))

    def close(self) -> None:
        self._ray.shutdown()


def _refuse_unreachable(address: str) -> None:
    """Ray itself would wait for minutes. Raises BadInput for a head that does not answer, and for no address."""
    host, _, port = address.rpartition(":")
    if not address:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()
    except (OSError, ValueError, OverflowError) as error:
        raise BadInput(
            f"expected a Ray cluster at {address}, found: {error}; start it (`ray start --head`), or correct [run] "
            "address, which is host:port"
        ) from None


class RayTask:
    """An order that a node of the cluster works on."""

    def __init__(self, ray: Any, order: Order, reference: Any) -> None:
        self.order, self._ray, self._reference = order, ray, reference

    def done(self) -> bool:
        ready, _ = self._ray.wait([self._reference], timeout=0)
        return bool(ready)

    def failure(self) -> Exception | None:
        """What Ray itself raises is the end of a node, or of a process on it."""
        try:
            found: Exception | None = self._ray.get(self._reference)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            return cause if isinstance(cause, WhenceError) else Lost(" ".join(str(error).split())[:300])
        return found

    def stop(self) -> None:
        self._ray.cancel(self._reference, force=True)
