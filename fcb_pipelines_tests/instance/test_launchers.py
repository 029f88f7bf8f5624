"""The files of deploy/: each is the project's dagster.yaml with another launcher, and Dagster takes it."""

from pathlib import Path
from typing import Any

import dagster as dg
import dagster_k8s.launcher
import pytest
import yaml
from dagster_celery.cli import get_validated_config

from fcb_pipelines.instance.celery_launcher import LeasedCeleryRunLauncher
from fcb_pipelines.instance.k8s_launcher import LeasedK8sRunLauncher
from fcb_pipelines.instance.storage import PooledEventLogStorage
from fcb_pipelines.sandbox.postgres import EmbeddedPostgres
from fcb_pipelines_tests.instance.instances import ROOT

DEPLOY = ROOT / "deploy"
LAUNCHERS = {
    "dagster-celery.yaml": LeasedCeleryRunLauncher,
    "dagster-k8s.yaml": LeasedK8sRunLauncher,
}
BROKER = "redis://broker.example.com:6379/0"


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_variant_differs_from_the_projects_in_launcher_and_number_of_runs_alone(
    name: str,
) -> None:
    ours, theirs = yaml.safe_load((ROOT / "dagster.yaml").read_text()), read(name)
    assert theirs["run_launcher"] != ours["run_launcher"]
    theirs["run_launcher"] = ours["run_launcher"]
    theirs["concurrency"]["runs"] = ours["concurrency"]["runs"]
    assert theirs == ours


@pytest.mark.parametrize(("name", "launcher"), LAUNCHERS.items())
def test_dagster_takes_a_variant_and_leaves_the_health_of_runs_to_their_leases(
    name: str,
    launcher: type,
    postgres: EmbeddedPostgres,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FCB_POSTGRES_URL", postgres.sqlalchemy_url(database))
    monkeypatch.setenv("CELERY_BROKER_URL", BROKER)
    # Here is no cluster to be in.
    monkeypatch.setattr(dagster_k8s.launcher, "load_kubernetes_config", lambda **_: None)
    (tmp_path / "dagster.yaml").write_text((DEPLOY / name).read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert isinstance(instance.run_launcher, launcher)
        assert not instance.run_launcher.supports_check_run_worker_health
        assert isinstance(instance.event_log_storage, PooledEventLogStorage)
        if isinstance(instance.run_launcher, LeasedCeleryRunLauncher):
            assert instance.run_launcher.celery.conf.broker_url == BROKER


def test_a_worker_listens_to_the_broker_that_the_launcher_speaks_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", BROKER)
    worker = get_validated_config(str(DEPLOY / "celery-worker.yaml"))
    assert worker["broker"] == BROKER
    launcher = read("dagster-celery.yaml")["run_launcher"]["config"]
    assert worker["config_source"]["result_backend"] == launcher["backend"]


def test_every_pod_of_the_chart_has_our_dagster_yaml_and_the_variables_of_the_runs() -> None:
    values, launcher = read("helm-values.yaml"), read("dagster-k8s.yaml")["run_launcher"]["config"]
    (code,) = values["dagster-user-deployments"]["deployments"]
    for pod in (values["dagsterWebserver"], values["dagsterDaemon"], code):
        assert pod["env"] == [{"name": "DAGSTER_HOME", "value": launcher["dagster_home"]}]
        assert [secret["name"] for secret in pod["envSecrets"]] == launcher["env_secrets"]
        (volume,), (mount,) = pod["volumes"], pod["volumeMounts"]
        assert volume["configMap"]["name"] == launcher["instance_config_map"]
        assert mount["name"] == volume["name"]
        assert mount["mountPath"] == f"{launcher['dagster_home']}/dagster.yaml"
        assert pod["image"] == code["image"]
    assert values["serviceAccount"]["name"] == launcher["service_account_name"]
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    module = location["python_module"]
    assert code["dagsterApiGrpcArgs"][1::2] == [module["module_name"], module["location_name"]]
