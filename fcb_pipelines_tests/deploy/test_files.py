"""The files of deploy/ name what is there: packages of the lock, options of Dagster's commands, keys of its chart."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from dagster._cli import create_dagster_cli
from dagster._daemon.cli import cli as daemon_cli
from dagster_webserver.cli import dagster_webserver
from packaging.specifiers import SpecifierSet

from fcb_pipelines.config.environment import VARIABLES
from fcb_pipelines.connectors.intake.health import HEALTH
from fcb_pipelines.defs.runtime import keys
from fcb_pipelines_tests.supply_chain.lock import EXTRAS, FOLDER, PROJECT

DEPLOY = PROJECT / "deploy"
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
HELM: dict[str, Any] = yaml.safe_load((DEPLOY / "helm-values.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if "fcb_pipelines" in one["image"]}


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments, on one line."""
    text = re.sub(r"(?m)^#.*\n", "", (DEPLOY / "Dockerfile").read_text()).replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    return [(name, " ".join(rest.split())) for name, rest in lines]


def of(instruction: str) -> list[str]:
    return [rest for name, rest in instructions() if name == instruction]


def test_the_image_has_a_python_that_the_project_takes() -> None:
    versions = {re.fullmatch(r"python:([\d.]+)-slim( AS \w+)?", each) for each in of("FROM")}
    (version,) = {found.group(1) for found in versions if found}
    assert None not in versions
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(version)


def test_the_image_installs_from_the_lock_by_hash_and_then_the_project_alone() -> None:
    locked, project = (line for line in of("RUN") if "pip install" in line)
    files = re.findall(r"-r deploy/requirements/(\w+)\.txt", locked)
    assert "--require-hashes" in locked
    assert files[0] == "base"
    assert {*files[1:]} <= {*EXTRAS}
    # Celery is for other machines; the image is one of Kubernetes and of one machine.
    assert {*EXTRAS} - {*files} == {"celery"}
    assert all((FOLDER / f"{name}.txt").is_file() for name in files)
    for option in ("--no-deps", "--no-build-isolation"):
        assert option in project


def test_the_image_is_built_of_what_the_wheel_is_made_of_and_of_no_secret() -> None:
    copied = [source for line in of("COPY") if "--from" not in line for source in line.split()[:-1]]
    assert all((PROJECT / source).exists() for source in copied)
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], PYPROJECT["project"]["readme"]}
    assert needed <= {*copied}
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert {".env", ".git", ".fcb"} <= {*ignored}
    assert not {*copied} & {*ignored}
    assert of("USER") == ["fcb"]


def test_the_variables_of_the_image_are_ours() -> None:
    (line,) = of("ENV")
    named = dict(part.split("=", 1) for part in shlex.split(line))
    assert named.keys() - VARIABLES.keys() == {"PATH", "PYTHONUNBUFFERED"}
    assert named["DAGSTER_HOME"].startswith(f"{named['FCB_HOME']}/{named['FCB_DATASET']}/")
    for name, service in OURS.items():
        environment = service["environment"]
        assert environment.keys() <= VARIABLES.keys(), name
        assert (
            named.items() - {("PATH", named["PATH"]), ("PYTHONUNBUFFERED", "1")}
            <= environment.items()
        )


COMMANDS: Mapping[str, click.Command] = {
    "dagster": create_dagster_cli(),
    "dagster-daemon": daemon_cli,
    "dagster-webserver": dagster_webserver,
}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command of Dagster's that a container runs, a health check is, or a pod is given."""
    for name, service in OURS.items():
        told = [service["command"], service.get("healthcheck", {}).get("test", [""])[1:]]
        script = service["command"][-1] if service["command"][0] == "sh" else ""
        told += [shlex.split(line.replace("$$pool", "ledger").removesuffix("; done").partition(" do ")[2] or line)
                 for line in script.splitlines()]  # fmt: skip
        yield from ((name, argv) for argv in told if argv and argv[0] in COMMANDS)
    (code,) = HELM["dagster-user-deployments"]["deployments"]
    yield (
        "chart",
        ["dagster", "api", "grpc", *code["dagsterApiGrpcArgs"], "--port", str(code["port"])],
    )
    for probe in ("livenessProbe", "startupProbe"):
        yield "chart", HELM["dagsterDaemon"][probe]["exec"]["command"]
    for unit in sorted(DEPLOY.glob("*.service")):
        for line in re.findall(r"(?m)^Exec\w+=(.*)$", unit.read_text()):
            argv = shlex.split(line)
            if (name := Path(argv[0]).name) in COMMANDS:
                yield unit.name, [name, *argv[1:]]


def test_every_kind_of_process_is_among_the_commands() -> None:
    found = {" ".join(argv[:3]) for _, argv in commands()}
    for wanted in ("dagster api grpc", "dagster api grpc-health-check", "dagster instance migrate",
                   "dagster instance concurrency", "dagster-daemon liveness-check"):  # fmt: skip
        assert any(each.startswith(wanted) for each in found), wanted


@pytest.mark.parametrize(("where", "argv"), [*commands()])
def test_dagster_knows_each_command_with_its_options(where: str, argv: list[str]) -> None:
    command: click.Command = COMMANDS[argv[0]]
    left = argv[1:]
    while isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), left[0])
        assert inner is not None, left[0]
        command, left = inner, left[1:]
    # Raises where an option is not known, or an argument is missing.
    command.make_parser(click.Context(command)).parse_args(list(left))
    known = {option for parameter in command.params for option in parameter.opts}
    assert {each for each in left if each.startswith("-")} <= known


def test_compose_says_of_each_service_when_it_is_well_and_what_it_waits_for() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert condition == (
                "service_completed_successfully" if other == "prepare" else "service_healthy"
            )
            assert ("healthcheck" in services[other]) is (other != "prepare"), name
    lasting = {name for name, service in services.items() if "restart" in service}
    assert lasting == {name for name, service in services.items() if "healthcheck" in service}
    assert {*services} - lasting == {"prepare", "fcb"}
    assert {name for name, service in services.items() if "profiles" not in service} == {
        "postgres", "prepare", "code", "webserver", "daemon",
    }  # fmt: skip
    assert {name for name, one in services.items() if one.get("profiles") == ["staging"]} == {
        "odoo", "odoo-postgres",
    }  # fmt: skip


def test_compose_publishes_on_loopback_alone_and_no_two_containers_have_one_host_name() -> None:
    for name, service in COMPOSE["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert not {"hostname", "network_mode", "pid"} & service.keys(), name


def test_the_volumes_and_files_that_compose_mounts_are_there() -> None:
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not source.startswith("."):
                assert source in COMPOSE["volumes"], name
            elif source != "../nexacloud.yaml":  # the operator's
                assert (DEPLOY / source).is_file(), name
    assert "nexacloud.yaml" in (PROJECT / "docs" / "deploying.md").read_text()


def test_what_webserver_and_daemon_load_is_the_code_container() -> None:
    (location,) = yaml.safe_load((DEPLOY / "compose-workspace.yaml").read_text())["load_from"]
    (ours,) = yaml.safe_load((PROJECT / "workspace.yaml").read_text())["load_from"]
    server, module = location["grpc_server"], ours["python_module"]
    code = OURS["code"]["command"]
    assert server["location_name"] == module["location_name"]
    given = dict(zip(code[3::2], code[4::2], strict=True))
    assert given == {
        "--module-name": module["module_name"],
        "--location-name": module["location_name"],
        "--host": "0.0.0.0",  # noqa: S104 - of the container, whose network publishes no port of it
        "--port": str(server["port"]),
    }
    assert server["host"] in COMPOSE["services"]


def test_every_pool_has_its_slot_before_anything_runs() -> None:
    pools = {keys.LEDGER_POOL, "stripe", "lago"}
    (told,) = re.findall(r"for pool in ([\w ]+);", OURS["prepare"]["command"][-1])
    assert {*told.split()} == pools
    unit = (DEPLOY / "fcb-daemon.service").read_text()
    assert {*re.findall(r"concurrency set (\w+) 1", unit)} == pools


def test_the_intake_is_asked_for_its_health_where_it_answers() -> None:
    intake = OURS["intake"]
    port = intake["command"][-1]
    assert f"http://127.0.0.1:{port}{HEALTH}" in intake["healthcheck"]["test"][-1]
    assert intake["ports"] == [f"127.0.0.1:{port}:{port}"]


# The keys that Dagster's chart has where ours are, as its values.yaml names them.
OF_A_POD = {
    "image", "env", "envConfigMaps", "envSecrets", "labels", "volumes", "volumeMounts", "annotations", "nodeSelector",
    "affinity", "tolerations", "podSecurityContext", "securityContext", "resources", "schedulerName", "readinessProbe",
    "livenessProbe", "startupProbe",
}  # fmt: skip
CHART: Mapping[str, set[str]] = {
    "dagsterWebserver": OF_A_POD | {"replicaCount", "nameOverride", "pathPrefix", "service", "workspace",
                                    "enableReadOnly", "dbStatementTimeout", "dbPoolRecycle", "logLevel",
                                    "deploymentLabels"},
    "dagsterDaemon": OF_A_POD | {"enabled", "heartbeatTolerance", "runCoordinator", "runMonitoring", "runRetries",
                                 "sensors", "schedules", "deploymentLabels"},
    "dagster-user-deployments": {"enabled", "enableSubchart", "imagePullSecrets", "deployments"},
    "postgresql": {"enabled", "image", "postgresqlHost", "postgresqlUsername", "postgresqlPassword",
                   "postgresqlDatabase", "postgresqlParams", "postgresqlScheme", "service"},
    "rabbitmq": {"enabled", "image", "rabbitmq", "service", "volumePermissions"},
    "serviceAccount": {"create", "name", "annotations"},
    "runLauncher": {"type", "config"},
    "telemetry": {"enabled"},
}  # fmt: skip
OF_A_DEPLOYMENT = OF_A_POD | {
    "name", "port", "dagsterApiGrpcArgs", "codeServerArgs", "includeConfigInLaunchedRuns", "service",
}  # fmt: skip
OF_A_PROBE = {
    "enabled", "httpGet", "exec", "periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold",
    "initialDelaySeconds",
}  # fmt: skip


def test_the_chart_has_every_key_that_our_values_set() -> None:
    assert HELM.keys() <= CHART.keys()
    for part, values in HELM.items():
        assert values.keys() <= CHART[part], part
    for deployment in HELM["dagster-user-deployments"]["deployments"]:
        assert deployment.keys() <= OF_A_DEPLOYMENT
    for part in ("dagsterWebserver", "dagsterDaemon"):
        for probe in ("livenessProbe", "startupProbe"):
            assert HELM[part][probe].keys() <= OF_A_PROBE
        # The chart leaves a startup probe out that is not enabled, and an `enabled` elsewhere is no key of a probe's.
        assert HELM[part]["startupProbe"]["enabled"] is True
        assert "enabled" not in HELM[part]["livenessProbe"]
