"""`portal exports`: look after exports by hand, without Redis."""

from datetime import UTC
from pathlib import Path

import click

from portal import cli, clock, db
from portal.background import exports as background_exports
from portal.domain import people
from portal.domain.companies import current
from portal.domain.exporting import pausing, readback
from portal.domain.exporting.exports import Export
from portal.domain.lanes import MAIL, Lane
from portal.domain.outbox import Dispatch
from portal.domain.recovery import stalled_work, workbook


@click.group()
def exports() -> None:
    """Drain, pause and resume the line of exports; or leave it as a workbook."""


@exports.command()
@cli.json_option
def drain(as_json: bool) -> None:
    """Work through what is due now, in this process, as the worker would; say what holds up the rest."""
    from portal import create_app  # a command of its own weight: Flask, Zeep, RQ's task

    settings = cli.settings()
    with create_app(settings).app_context(), db.connected():
        lane = current().lane
        due = stalled_work.count_due(lane)
        left = bool(due and not settings.SPECTRUM_URL)
        said = {what: _drain(name) for what, name in (("Exports", lane), ("Mail", MAIL)) if not (left and name == lane)}
        cli.tell(as_json, [f"{what}: {one}" for what, sentences in said.items() for one in sentences], lanes=said)
        if left:
            raise cli.Refusal(
                f"SPECTRUM_URL: is not set, so no export was touched; {due} {'is' if due == 1 else 'are'} due. "
                "Set it to https://HOST:8482, or beside a running `portal up` to the address of its simulator."
            )


def _drain(lane: str) -> list[str]:
    """Work through the lane as a worker would; what holds it up, and last what came of it."""
    came = _work(lane) if stalled_work.count_due(lane) else "nothing is due."
    return [*stalled_work.holds(lane), came]


def _work(lane: str) -> str:
    from portal.background import tasks

    begun = clock.now()
    taken = stalled_work.is_held(lane)
    tasks.drain(lane)
    done, waiting = stalled_work.count_finished(lane, begun), stalled_work.count_waiting(lane)
    wait = f"{waiting} wait{'s' if waiting == 1 else ''}"
    if taken:
        return f"another worker is on it, {wait}."
    if not waiting:
        return f"{done} done."
    return f"{done or 'none'} done, {wait}: see `portal exports status` or Settings, Mail."


@exports.command()
@cli.json_option
def status(as_json: bool) -> None:
    """Say what waits and whether the line is paused."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        lane = Lane.get_by_id(current().lane)
        waiting = Dispatch.select().where(Dispatch.lane == lane.name, Dispatch.finished_at.is_null()).order_by(Dispatch.due_at)
        lines = [f"{one.key}  due {one.due_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z  tries {one.tries}  {one.error}" for one in waiting]
        paused = [f"Paused since {lane.paused_at:%Y-%m-%d %H:%M}Z: {lane.reason}"] if lane.paused_at else []
        facts = [{"key": one.key, "due_at": one.due_at, "tries": one.tries, "error": one.error} for one in waiting]
        cli.tell(as_json, [f"{len(waiting)} waiting", *lines, *paused], waiting=facts, paused_at=lane.paused_at, reason=lane.reason)


@exports.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="the file to write; default: a name by the time, here")
@click.option(
    "--as",
    "--by",
    "by",
    metavar="EMAIL",
    required=True,
    help="the administrator, with Can Push to Accounting, who takes them out of the line",
)
@cli.json_option
def xlsx(out: Path | None, by: str, as_json: bool) -> None:
    """Leave what waits unsent as a workbook for Spectrum's Office add-in; it is out of the line then."""
    from portal import addin_workbook  # XlsxWriter is for this command alone

    db.init(cli.settings().DATABASE_URL)
    if out and out.exists():
        raise cli.Refusal(f"{out} is there already. Choose another name.")
    with db.connected():
        try:
            left = workbook.leave(_administrator(by), addin_workbook.write, keep := Keeping(out))
        except people.NotPermitted as error:
            raise cli.Refusal(str(error)) from None
        except OSError as error:
            raise cli.Refusal(f"The workbook could not be written, so nothing left the line: {error}") from None
    if left is None:
        cli.tell(as_json, ["Nothing to write: no change order waits unsent."], file=None, change_orders=0)
        return
    count = len(left.left)
    file = keep.publish()
    said = f"{file}  {count} change order{'' if count == 1 else 's'}, out of the line; in their history it is {left.name}"
    cli.tell(as_json, [said], file=file, name=left.name, change_orders=count)


@exports.command()
@click.argument("reason")
@click.option("--as", "--by", "by", metavar="EMAIL", required=True, help="the administrator who pauses")
@cli.json_option
def pause(reason: str, by: str, as_json: bool) -> None:
    """Stop sending, for REASON, which everyone sees. Accepted change orders wait in line."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        pausing.pause(current().lane, _administrator(by), reason)
    cli.tell(as_json, ["Exports are paused."], paused=True, reason=reason)


@exports.command()
@click.option("--as", "--by", "by", metavar="EMAIL", required=True, help="the administrator who resumes; after a restore an approver")
@cli.json_option
def resume(by: str, as_json: bool) -> None:
    """Send again. After a restore it says: I have looked in Spectrum."""
    db.init(cli.settings().DATABASE_URL)
    with db.connected():
        try:
            goes_on = pausing.resume(current().lane, cli.person(by))
        except people.NotPermitted as error:
            raise cli.Refusal(str(error)) from None
    said = "Exports resumed." if goes_on else "The look in Spectrum is recorded. Exports stay paused until an administrator resumes them."
    cli.tell(as_json, [said], paused=not goes_on)


class Keeping:
    """Writes a workbook beside its place while its change orders move, and puts it there when they have."""

    def __init__(self, out: Path | None) -> None:
        self.out = out

    def __call__(self, name: str, content: bytes) -> None:
        self.place = self.out or Path(name)
        self.draft = self.place.with_name(f"{self.place.name}.part")
        self.draft.write_bytes(content)

    def publish(self) -> Path:
        return self.draft.rename(self.place)


@exports.command()
@click.argument("id", type=click.IntRange(min=1))
@cli.json_option
def look(id: int, as_json: bool) -> None:
    """Read back what Spectrum holds of change order ID and compare it with what was sent. Changes nothing."""
    settings = cli.settings()
    db.init(settings.DATABASE_URL)
    with db.connected():
        export = Export.select().where(Export.change_order == id).order_by(Export.id.desc()).first()
        if export is None:
            raise cli.Refusal(f"Change order {id} was never accepted: there is nothing to compare.")
        read = background_exports.reader(settings)
        if read is None:
            raise cli.Refusal("Reading back is off. Set INFOLINK_SERVER, or look into Spectrum itself.")
        reading = readback.look(export, read)
    if reading.failed:
        raise cli.Refusal(reading.failed)
    lines = [
        {"line": position, "phase": line["CR_Phase_Code"], "cost_type": line["CR_Cost_Type"], "amount": line["Change_Request_Amount"],
         "present": position in reading.present} for position, line in export.lines
    ]  # fmt: skip
    said = [
        f"line {one['line']}  {one['phase']} {one['cost_type']} {one['amount']}  {'is there' if one['present'] else 'is not there'}"
        for one in lines
    ]
    cli.tell(as_json, [readback.in_words(export, reading), *said], number=export.number, verdict=reading.verdict, lines=lines)


def _administrator(email: str) -> people.User:
    person = cli.person(email)
    if not person.may_administer:
        raise cli.Refusal(f"{email} is not an active administrator.")
    return person
