"""dagster-k8s's launcher, with the lease of a run in place of the state of its Kubernetes job."""

from dagster_k8s import K8sRunLauncher


class LeasedK8sRunLauncher(K8sRunLauncher):
    """Launches each run as a Kubernetes job.

    Dagster's monitor does not ask it for the health of a run: of one that the command executes there is no
    job, and the monitor would put it on record as failed. The lease tells.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """False: `dead_runs` ends a run whose pod is gone."""
        return False
