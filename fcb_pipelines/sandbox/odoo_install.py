"""The installation of a real Odoo 19 in one folder; the rest of the machine stays as it is.

The code is Debian's package `odoo-19`, fetched by apt with lists and a cache of its own; the Python
libraries that it imports go into a virtual environment beside it, the scripts and fonts of its web page
come from the packages that it depends on. It takes about a minute, once; many sandboxes can share the folder.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from fcb_pipelines.connectors.failures import NotPrepared, TransientFailure

PACKAGE = "odoo-19"
SUITE = "sid"
REQUIREMENTS = Path(__file__).with_name("odoo_requirements.txt")

# Of the package's dependencies these are files that its web page links to; without them it answers 500.
_OF_THE_PAGE = ("fonts-", "libjs-")

_STAMP = "installed.json"
_ELSEWHERE = "set FCB_ODOO_URL and its companions to an Odoo 19 of yours, or use --ledger beancount"
# Seven tenths of the package are translations, and the books are kept in English.
_LEFT_OUT = ("*/i18n/*", "*/i18n_extra/*", "./usr/share/doc/*")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OdooProgram:
    """An installed Odoo: its folder and the package's version."""

    folder: Path
    version: str

    @property
    def command(self) -> tuple[str, ...]:
        """The command that runs Odoo's own command line."""
        # Its own empty file: without one Odoo reads, and may write, a file in the user's home.
        config = str(self.folder / "odoo.conf")
        return (str(_python(self.folder)), "-m", "odoo", "-c", config)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the command needs beside this process's own."""
        return {
            "PYTHONPATH": str(_code(self.folder)),
            "PYTHONUNBUFFERED": "1",
            # Debian compiles no package that is unpacked only: the first start does, for all later.
            "PYTHONDONTWRITEBYTECODE": "",
        }

    def run(self, tried: str, *arguments: str) -> None:
        """Run Odoo's command line to its end. Raises TransientFailure with the end of its output."""
        command, *rest = arguments
        # `-c` is an option of the server and of each sub-command, never of the program itself.
        argv = [*self.command[:3], command, *self.command[3:], *rest]
        run(argv, tried, environment=self.environment)


def install(folder: Path, say: Say = lambda _: None) -> OdooProgram:
    """The Odoo 19 in `folder`, installed now unless it is there completely.

    An interrupted download or unpacking is repeated. Raises NotPrepared on a machine without apt or
    whose apt has no Debian archive, TransientFailure when a download fails.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / "install.lock"):
        stamp = folder / _STAMP
        wanted = REQUIREMENTS.read_text("utf-8")
        if stamp.exists():
            content = json.loads(stamp.read_text("utf-8"))
            if content["requirements"] == wanted and _python(folder).exists():
                return OdooProgram(folder=folder, version=content["version"])
        version = _fetch_code(folder, say)
        _make_environment(folder, say)
        (folder / "odoo.conf").touch(mode=0o600)
        write_stamp(folder, version, wanted)
    return OdooProgram(folder=folder, version=version)


def write_stamp(folder: Path, version: str, requirements: str) -> None:
    """Record that `folder` holds a complete Odoo of this package version, with these libraries."""
    draft = folder / f"{_STAMP}.new"
    draft.write_text(json.dumps({"version": version, "requirements": requirements}), "utf-8")
    draft.replace(folder / _STAMP)


def run(
    argv: Sequence[str],
    tried: str,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program and return its output. Raises TransientFailure, naming the thing `tried`."""
    done = subprocess.run(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        check=False,
    )
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        tail = " | ".join(line.strip() for line in output.splitlines()[-8:])[-600:]
        raise TransientFailure(tried, f"{argv[0]} ended with {done.returncode}: …{tail}")
    return output


def _fetch_code(folder: Path, say: Say) -> str:
    """Download and unpack the package unless that is done; return its version."""
    for program in ("apt-get", "dpkg-deb", "tar"):
        if shutil.which(program) is None:
            raise NotPrepared(
                "installing Odoo 19 from Debian's package",
                f"{program} is not on this machine",
                remedy=_ELSEWHERE,
            )
    code = _code(folder)
    kept = folder / "code" / "complete"
    if kept.exists() and code.exists():
        return kept.read_text("utf-8")
    say("downloading Odoo 19 (about 120 MB, once)")
    apt = _Apt(folder / "apt")
    package = apt.download(PACKAGE)[0]
    version, depends = (
        run(["dpkg-deb", "-f", str(package), field], "reading Odoo's package").strip()
        for field in ("Version", "Depends")
    )
    say("unpacking Odoo 19")
    draft = folder / "code.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for each in (package, *apt.download(*of_the_page(depends))):
        _unpack(each, draft)
    (draft / "complete").write_text(version, "utf-8")
    shutil.rmtree(folder / "code", ignore_errors=True)
    draft.rename(folder / "code")
    shutil.rmtree(folder / "apt")
    return version


def of_the_page(depends: str) -> tuple[str, ...]:
    """Those of a package's dependencies that hold scripts and fonts of its page, by name."""
    first = (each.partition("|")[0].split() for each in depends.split(","))
    return tuple(
        sorted({words[0] for words in first if words and words[0].startswith(_OF_THE_PAGE)})
    )


class _Apt:
    """Debian's packages by name, fetched with lists and a cache in one folder of their own."""

    def __init__(self, apt: Path) -> None:
        shutil.rmtree(apt, ignore_errors=True)
        (apt / "lists" / "partial").mkdir(parents=True)
        (apt / "cache" / "archives" / "partial").mkdir(parents=True)
        (apt / "state").mkdir()
        (apt / "status").touch()
        (apt / "sources.list").write_text(f"deb {_archive()} {SUITE} main\n", "utf-8")
        settings = {
            "Dir::Etc::sourcelist": apt / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": apt / "state",
            "Dir::State::lists": apt / "lists",
            "Dir::State::status": apt / "status",
            "Dir::Cache": apt / "cache",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            # As root apt would download as another user, who can't write into this folder.
            "APT::Sandbox::User": "root",
        }
        self._folder = apt
        self._options = [
            part for name, value in settings.items() for part in ("-o", f"{name}={value}")
        ]
        update = ["apt-get", *self._options, "-qq", "update"]
        run(update, f"reading the package list of Debian {SUITE}")

    def download(self, *packages: str) -> tuple[Path, ...]:
        """The files of these packages, in their order."""
        if not packages:
            return ()
        argv = ["apt-get", *self._options, "-qq", "download", *packages]
        run(argv, f"downloading {', '.join(packages)}", cwd=self._folder)
        return tuple(self._file(package) for package in packages)

    def _file(self, package: str) -> Path:
        found = sorted(self._folder.glob(f"{package}_*.deb"))
        if not found:
            raise TransientFailure(f"downloading {package}", "apt-get left no file")
        return found[-1]


def _archive() -> str:
    """The address of Debian's main archive, as this machine's own apt knows it."""
    form = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    targets = run(["apt-get", "indextargets", "--format", form], "asking apt for its archives")
    for line in targets.splitlines():
        origin, label, component, address = (line.split("|") + [""] * 4)[:4]
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return address
    raise NotPrepared(
        "installing Odoo 19 from Debian's package",
        "this machine's apt names no Debian archive (try `apt-get update` first)",
        remedy=_ELSEWHERE,
    )


def _unpack(package: Path, folder: Path) -> None:
    """Unpack the files that Odoo needs at run time, without scripts and configuration."""
    out = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE)
    left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
    done = subprocess.run(
        ["tar", "-x", "-C", str(folder), "--no-same-owner", *left_out, "-f", "-"],
        stdin=out.stdout,
        stderr=subprocess.PIPE,
        check=False,
    )
    if out.stdout:
        out.stdout.close()
    if out.wait() or done.returncode:
        message = done.stderr.decode(errors="replace").strip()
        raise TransientFailure(f"unpacking {package.name}", message or "dpkg-deb failed")


def _make_environment(folder: Path, say: Say) -> None:
    """Create anew the virtual environment with the libraries that Odoo imports."""
    say("installing the libraries of Odoo 19 (once)")
    venv = folder / "venv"
    shutil.rmtree(venv, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(venv)], "making Odoo's virtual environment")
    run(
        [
            str(_python(folder)),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            str(REQUIREMENTS),
        ],
        "installing the libraries of Odoo 19",
    )


def _python(folder: Path) -> Path:
    return folder / "venv" / "bin" / "python"


def _code(folder: Path) -> Path:
    return folder / "code" / "usr" / "lib" / "python3" / "dist-packages"
