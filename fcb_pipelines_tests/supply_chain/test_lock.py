"""What deploy/ installs is what pyproject.toml asks for, each package with its hashes, from any index."""

import importlib.metadata as installed
import re
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fcb_pipelines_tests.supply_chain.lock import (
    EXTRAS,
    FOLDER,
    PROJECT,
    locked,
    read,
    wanted,
    written,
)

FILES = ("base", *EXTRAS)


def pins(*names: str) -> dict[str, list[Requirement]]:
    """The pins of these files, by the package's name."""
    found: dict[str, list[Requirement]] = {}
    for name in names:
        for pin, _ in locked(name).values():
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def version(pin: Requirement) -> str:
    """The version of a pin."""
    (exact,) = pin.specifier
    assert exact.operator == "=="
    return exact.version


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_of_the_project_has_a_pin_within_its_bounds(name: str) -> None:
    found = pins(*{"base", name})
    for requirement in wanted()[name]:
        own = found.get(canonicalize_name(requirement.name), [])
        assert own, f"{requirement} is in no file: make lock"
        for pin in own:
            assert requirement.specifier.contains(version(pin)), f"{requirement}: make lock"


@pytest.mark.parametrize("name", FILES)
def test_what_the_required_packages_require_is_pinned_as_well(name: str) -> None:
    """As far as the packages that are installed here tell; the resolver knows of the other systems."""
    found = pins(*{"base", name})
    for package in closure(wanted()[name]):
        assert package in found, f"{package}: make lock"


@pytest.mark.parametrize("name", EXTRAS)
def test_the_files_go_together(name: str) -> None:
    base, own = pins("base"), pins(name)
    assert base.keys().isdisjoint(own)
    for other in EXTRAS:
        for package, theirs in pins(other).items():
            assert own.get(package, theirs) == theirs


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_hashes_and_no_file_names_an_index(name: str) -> None:
    lock = locked(name)
    text = (FOLDER / f"{name}.txt").read_text("utf-8")
    assert all(
        re.fullmatch(r"sha256:[0-9a-f]{64}", each) for _, some in lock.values() for each in some
    )
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", text)
    assert read(written(lock)) == lock


def test_a_pin_without_a_hash_is_no_lock() -> None:
    with pytest.raises(ValueError, match="has no hash"):
        read("pandas==3.0\n")


def test_the_documented_installation_installs_the_files_by_their_hashes() -> None:
    for page in ("deploy/README.md", "docs/deploying.md"):
        text = (PROJECT / page).read_text("utf-8")
        commands = re.findall(r"pip install [^\n]*", text)
        assert any("--require-hashes" in each for each in commands), page
        for each in commands:
            for file in re.findall(r"-r (\S+\.txt)", each):
                assert (PROJECT / file).is_file(), f"{page}: {each}"
            # The project itself comes last, and brings nothing that no hash has proved.
            proved = "--require-hashes" in each or {"--no-deps", "--no-build-isolation"} <= {
                *each.split()
            }
            assert proved, f"{page}: {each}"


def closure(requirements: Iterable[Requirement]) -> set[str]:
    """The names of these packages and of all that they require here."""
    found: set[tuple[str, str]] = set()
    todo = [(each, extra) for each in requirements for extra in ("", *each.extras)]
    while todo:
        requirement, extra = todo.pop()
        key = canonicalize_name(requirement.name), extra
        if key in found:
            continue
        found.add(key)
        try:
            required = installed.requires(requirement.name) or ()
        except installed.PackageNotFoundError:
            continue  # what only builds the project
        for line in required:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(needed, own) for own in ("", *needed.extras)]
    return {name for name, _ in found}
