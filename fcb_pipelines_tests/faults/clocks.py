"""A host whose clock is wrong, or is put right meanwhile, beside one whose clock is right.

The whole process of `fcb sync` sees another time, by a small library before libc; a C compiler makes it.
"""

import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import dagster as dg

from fcb_pipelines.instance.dead_runs import end_dead_runs, hanging_runs
from fcb_pipelines.instance.storage import open_instance
from fcb_pipelines_tests.faults.bench import Bench
from fcb_pipelines_tests.faults.books import damage, stand
from fcb_pipelines_tests.faults.daemon import post_at_once
from fcb_pipelines_tests.faults.patience import until
from fcb_pipelines_tests.faults.result import Result

_HOUR = 3600
_SHIFTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile long *seconds;
__attribute__((constructor)) static void look(void) {
    int file = open(getenv("FCB_TEST_CLOCK"), O_RDONLY);
    seconds = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int found = real(which, now);
    if (!found && seconds && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += *seconds;
    return found;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    int failed = clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec, now->tv_usec = found.tv_nsec / 1000;
    return failed;
}
time_t time(time_t *into) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (into) *into = found.tv_sec;
    return found.tv_sec;
}
"""
# What the clock of the host is off by at first, and once its sync runs, seconds.
CLOCKS = {
    "a host whose clock is three hours ahead": (3 * _HOUR, 3 * _HOUR),
    "a host whose clock is three hours behind": (-3 * _HOUR, -3 * _HOUR),
    "a host whose clock is put back by a day during its sync": (0, -24 * _HOUR),
    "a host whose clock is put forward by a day during its sync": (0, 24 * _HOUR),
}


def wrong_clocks(bench: Bench, some: Iterable[str] = CLOCKS) -> Iterator[Result]:
    """Each of these clocks with a sync of its own, which nobody takes for dead; a second one is killed and made up for."""
    library = _library(bench.folder)
    for name in some:
        yield _with_clock(bench, name, library, *CLOCKS[name])


def _with_clock(bench: Bench, name: str, library: Path, first: int, then: int) -> Result:
    undisturbed = bench.undisturbed
    moment = bench.draws(name).uniform(0, 4)
    with bench.world() as world, open_instance() as instance:
        post_at_once(Path(os.environ["FCB_CONFIG"]))
        clock = world.data.parent / "clock"
        _set(clock, first)
        shifted = {**os.environ, "LD_PRELOAD": str(library), "FCB_TEST_CLOCK": str(clock)}
        taken_for_dead, runs = 0, 0

        def watched(sync: "subprocess.Popen[bytes]") -> bool:
            nonlocal taken_for_dead, runs
            taken_for_dead += len(end_dead_runs(instance)) + len(hanging_runs(instance))
            seen = instance.get_runs_count()
            if seen and not runs:
                _set(clock, then)
            runs = max(runs, seen)
            return sync.poll() is not None

        by_hand = int(_ended(instance, _sync(shifted), watched) != 0) + taken_for_dead
        # A later sync of the same host is killed, and one whose clock is right makes up for it.
        seen = instance.get_runs_count()
        with _sync(shifted) as killed:
            until(
                instance,
                lambda: killed.poll() is not None or instance.get_runs_count() > seen,
            )
            time.sleep(moment)
            killed.kill()
        by_hand += int(_ended(instance, _sync(dict(os.environ))) != 0)
        found = damage(undisturbed, stand(world))
    return Result(
        fault=name, ledger=bench.ledger, met=2 if runs else 0, damage=found, by_hand=by_hand
    )


def _set(clock: Path, seconds: int) -> None:
    # In place: the process has the file in its memory.
    with clock.open("r+b" if clock.exists() else "wb") as file:
        file.write(struct.pack("l", seconds))


def _sync(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    fcb = str(Path(sys.executable).with_name("fcb"))
    return subprocess.Popen(
        [fcb, "sync", "--all"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ended(
    instance: dg.DagsterInstance,
    sync: "subprocess.Popen[bytes]",
    look: Callable[["subprocess.Popen[bytes]"], bool] = lambda sync: sync.poll() is not None,
) -> int:
    """The exit code of a sync; one whose runs stand still is killed."""
    with sync:
        if not until(instance, lambda: look(sync), every=0.5):
            sync.kill()
    return sync.returncode


def _library(folder: Path) -> Path:
    """The library, compiled now."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a wrong clock needs a C compiler (apt-get install gcc)"
    source, library = folder / "clock.c", folder / "clock.so"
    source.write_text(_SHIFTED, "utf-8")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True
    )
    return library
