"""`portal audit`: is the audit trail as it was written, and what is its head."""

from pathlib import Path

import click

from portal import cli, db
from portal.cli.progress import progress
from portal.domain.audit import chain as trail
from portal.domain.audit import verify_rights, verify_states
from portal.domain.audit.chain import Head, Verdict
from portal.domain.audit.heads import HEADS, Unreadable, line, missing, read_heads


@click.group()
def audit() -> None:
    """Verify the audit trail, or show its head."""


@audit.command()
@click.option(
    "--heads",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"the heads written out earlier; default: {HEADS} in the data folder",
)
@cli.json_option
def verify(heads: Path | None, as_json: bool) -> None:
    """Walk the trail from its first event to its last. Ends with status 1 when it is not as it was written, its heads are gone, or rights
    or states are not those of their last events."""
    settings = cli.settings()
    db.init(settings.DATABASE_URL)
    known = _heads(heads, settings.PORTAL_DATA / HEADS)
    with db.connected(), progress() as tell:
        events = trail.count()
        verdict = trail.verify(known, lambda done: tell("Events", done, max(events, done)))
        differ = [*verify_rights.differences(), *verify_states.differences()]
        unvouched = [*verdict.unvouched, *verify_rights.unvouched()]
        lost = missing(settings.PORTAL_DATA / HEADS) if not heads and verdict.last is None else ""
    facts = {"events": verdict.events, "head": verdict.hash, "heads": verdict.compared, "differences": differ, "unvouched": unvouched}
    if verdict.fault:
        before = f"{_events(verdict)} before it {'is' if verdict.events == 1 else 'are'} as recorded."
        cli.tell(as_json, [verdict.fault.text, before], good=False, fault=verdict.fault.text, **facts)
        raise SystemExit(1)
    whole = f"The audit trail is as it was written: {_events(verdict)}, head {verdict.hash}."
    is_good = not (differ or lost)
    cli.tell(as_json, [*differ, whole, lost or _compared(verdict), *unvouched], good=is_good, fault=lost, **facts)
    if not is_good:
        raise SystemExit(1)


@audit.command()
@cli.json_option
def head(as_json: bool) -> None:
    """Print the present head, as a line for a file of heads that is kept elsewhere."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        found = trail.head()
    cli.tell(as_json, [line(found)], date=found.date, seq=found.seq, hash=found.hash)


def _heads(named: Path | None, usual: Path) -> list[Head]:
    file = named or usual
    if not file.exists():
        return []
    try:
        return read_heads(file)
    except (OSError, Unreadable) as error:
        raise cli.Refusal(f"The heads cannot be read: {error}") from None


def _events(verdict: Verdict) -> str:
    return f"{verdict.events:,} event{'' if verdict.events == 1 else 's'}"


def _compared(verdict: Verdict) -> str:
    if verdict.last is None:
        return "No head was written out yet, so that an end cut off, or a trail that was hashed again as a whole, would not show."
    heads = f"{verdict.compared} head{' fits' if verdict.compared == 1 else 's fit'}"
    return f"{heads} the trail; the last one was written out on {verdict.last.date} with event {verdict.last.seq:,}."
