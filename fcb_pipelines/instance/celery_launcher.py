"""dagster-celery's launcher, with the lease of a run in place of Celery's word on it."""

from dagster_celery.launcher import CeleryRunLauncher


class LeasedCeleryRunLauncher(CeleryRunLauncher):
    """Launches runs as Celery tasks.

    Dagster's monitor does not ask it for the health of a run: Celery knows nothing of one that the command
    executes, or without a store of results, and the monitor would call that dead. The lease tells.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """False: `dead_runs` ends a run whose worker is gone."""
        return False
