"""How far long work is: a bar on a terminal; elsewhere a line at every tenth and at the end. Always on standard error."""

import contextlib
import sys
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

Progress = Callable[[str, int, int], None]


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """What to call with the phase, how much of it is done, and out of how much."""
    if sys.stderr.isatty():
        with Bars(console=Console(stderr=True), transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def draw(phase: str, done: int, total: int) -> None:
                if phase not in tasks:
                    tasks[phase] = bars.add_task(phase, total=total)
                bars.update(tasks[phase], completed=done, total=total)

            yield draw
    else:
        tenths: dict[str, int] = {}

        def write(phase: str, done: int, total: int) -> None:
            if tenths.get(phase) != done * 10 // total:
                tenths[phase] = done * 10 // total
                click.echo(f"{phase}: {done:,} of {total:,}", err=True)

        yield write
