"""The programs that no Python package brings: Chromium, the PostgreSQL server, and nginx and systemd-analyze, which read `deploy`.

`python -m tests.programs` installs what is missing where it may (Debian, Ubuntu, as root), and says in plain words what
is missing where it may not.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


class Missing(Exception):
    """A program the tests need is not there; the text says how to get it."""


# The headless shell draws a page with two thirds of the processor time of the whole browser; Ubuntu has no package of it.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The path of Chromium or Chrome: what CHROMIUM names, else the first of BROWSERS on PATH. Raises Missing."""
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise Missing(f"CHROMIUM names {named}, which is not a program.")
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    raise Missing("The browser tests need Chromium: install the package `chromium`, or set CHROMIUM to the path of Chromium or Chrome.")


def postgres(name: str) -> str:
    """The path of `initdb` or `postgres`. Raises Missing."""
    places = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    if found := shutil.which(name, path=os.pathsep.join(places)):
        return str(Path(found).resolve())  # beside each other, wherever a link pointed from
    raise Missing(f"The tests need a PostgreSQL server ({name}): install the package `postgresql`.")


def server() -> str:
    """The folder of PostgreSQL's programs. Raises Missing."""
    postgres("postgres")
    return str(Path(postgres("initdb")).parent)


def nginx() -> str:
    """The path of nginx, which stands where only root looks. Raises Missing."""
    if found := shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"):
        return found
    raise Missing("The tests let nginx read deploy/nginx.conf: install the package `nginx-light`.")


def systemd_analyze() -> str:
    """The path of systemd-analyze. Raises Missing."""
    if found := shutil.which("systemd-analyze"):
        return found
    raise Missing("The tests let systemd-analyze read the units of deploy: install the package `systemd`.")


# What finds each program, and the packages that bring it, the best first.
NEEDED = {chromium: ("chromium-headless-shell", "chromium"), server: ("postgresql",), nginx: ("nginx-light", "nginx")}
if sys.platform == "linux":
    NEEDED |= {systemd_analyze: ("systemd",)}


def install(packages: tuple[str, ...]) -> None:
    """With apt, without questions: the first of the packages that this system has. Raises CalledProcessError."""
    apt("update")
    for package in packages[:-1]:
        print(f"Installing {package} ...", file=sys.stderr)
        with contextlib.suppress(subprocess.CalledProcessError):
            return apt("install", "--yes", "--no-install-recommends", package)
    print(f"Installing {packages[-1]} ...", file=sys.stderr)
    return apt("install", "--yes", "--no-install-recommends", packages[-1])


def apt(*arguments: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # in which no server is started
    subprocess.run(["apt-get", "-qq", *arguments], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=quiet)


def fault(find: Callable[[], str]) -> str:
    """What is still missing after trying to install it; empty when nothing is."""
    try:
        find()
    except Missing as missing:
        if not (shutil.which("apt-get") and os.geteuid() == 0):
            return str(missing)
    else:
        return ""
    try:
        install(NEEDED[find])
        find()
    except (subprocess.CalledProcessError, Missing) as error:
        return f"{NEEDED[find][-1]} could not be installed: {error}"
    return ""


def main() -> int:
    faults = list(filter(None, map(fault, NEEDED)))
    if faults:
        print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
