"""A clock that jumps by an hour while a program runs, forwards and backwards.

The program is started with a small library, made here with the C compiler, which adds what a file says to the time of day and
leaves the clock that only grows alone, as a real jump does. Debian's libfaketime 0.9.10 cannot be used for that: told to leave
that clock alone it breaks ``time.sleep`` of Python 3.11, otherwise it makes that clock jump as well.
"""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import time
from pathlib import Path

from benchmarks.measure.soak.fault import Fault
from benchmarks.measure.soak.work import Program

HOUR = 3600
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile long *jump;
static int (*real)(clockid_t, struct timespec *);
__attribute__((constructor)) static void start(void) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("SOAK_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) jump = found;
    if (file >= 0) close(file);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!real) start();
    int code = real(clock, now);
    if (!code && jump && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *jump;
    return code;
}
time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *out, void *zone) {
    struct timespec now;
    int code = clock_gettime(CLOCK_REALTIME, &now);
    (void)zone;
    if (!code && out) { out->tv_sec = now.tv_sec; out->tv_usec = now.tv_nsec / 1000; }
    return code;
}
"""


def jumping(folder: Path) -> dict[str, str]:
    """The environment of a program whose clock :func:`jump` moves; its file and the library go to ``folder``."""
    library, source = folder / "clock.so", folder / "clock.c"
    if not library.exists():
        source.write_text(_SOURCE)
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
        jump(folder, 0)
    return {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(folder / "clock")}


def jump(folder: Path, seconds: int) -> None:
    """From now on the clock is so many seconds ahead of the real one, or behind."""
    with (folder / "clock").open("r+b" if (folder / "clock").exists() else "wb") as file:
        file.write(struct.pack("l", seconds))  # in place: programs have it mapped


class Clock(Fault):
    """The command, its scheduler and its workers see the time of day jump by an hour, and later another way."""

    name, words = "clock", "the clock jumps by an hour, forwards or backwards"

    def __init__(self) -> None:
        self._folder, self._now = Path(), 0

    def why_not(self) -> str:
        return "" if shutil.which("cc") else "a clock can only be shifted with a C compiler (apt-get install gcc libc6-dev)"

    def environment(self, folder: Path) -> dict[str, str]:
        self._folder = folder
        return jumping(folder)

    def strike(self, program: Program, rng: random.Random) -> bool:
        self._now = rng.choice([seconds for seconds in (-HOUR, 0, HOUR) if seconds != self._now])
        jump(self._folder, self._now)
        time.sleep(rng.uniform(0.5, 2.0))
        return True
