"""EDGE: orders as jobs of Slurm, through submitit, which is imported when an engine is made."""

import shutil
from pathlib import Path
from typing import Any

from attribution.errors import BadInput
from indexer.config.installed import installed
from indexer.config.run import Run
from indexer.engines.order import Lost, Order, Work

AT_ONCE = 8  # jobs where nothing is said: the cluster has its own limits


class OnSlurm:
    """The cluster in which the command is given."""

    def __init__(self, run: Run, work: Work, folder: Path) -> None:
        """folder: of jobs and their logs, which all nodes reach"""
        installed("submitit")
        import submitit

        if not run.address and shutil.which("sbatch") is None:
            raise BadInput(
                "expected the command sbatch for [run] engine = 'slurm', found none; give the command on a machine of "
                "the cluster, or try it out with address = 'local'"
            )
        self._failed = submitit.core.utils.FailedJobError, submitit.core.utils.UncompletedJobError
        self._work, self.slots = work, run.tasks or AT_ONCE
        self._executor = submitit.AutoExecutor(folder=folder, cluster=run.address or "slurm")
        asked: dict[str, Any] = {"cpus_per_task": run.cpus, "timeout_min": max(1, round(60 * run.hours))}
        asked |= {"gpus_per_node": run.gpus} if run.gpus else {}
        asked |= {"mem_gb": run.memory} if run.memory else {}
        asked |= {"slurm_partition": run.queue} if run.queue else {}
        self._executor.update_parameters(name="whence", **asked)

    def submit(self, order: Order) -> "SlurmTask":
        return SlurmTask(order, self._executor.submit(self._work, order), self._failed)

    def close(self) -> None:
        """Jobs that are not wanted any more were stopped one by one."""


class SlurmTask:
    """An order in the queue of the cluster, or on a node."""

    def __init__(self, order: Order, job: Any, failed: tuple[type[Exception], ...]) -> None:
        self.order, self._job, self._failed = order, job, failed

    def done(self) -> bool:
        return bool(self._job.done())

    def failure(self) -> Exception | None:
        try:
            found: Exception | None = self._job.result()
        except self._failed as error:
            return Lost(f"job {self._job.job_id}: {' '.join(str(error).split())[:300]}")
        return found

    def stop(self) -> None:
        self._job.cancel(check=False)
