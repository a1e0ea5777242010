"""`portal simulator`: a stand-in for Spectrum."""

from pathlib import Path

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8482, show_default=True, help="TCP port on 127.0.0.1; 0 takes a free one.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the ledger.")
@click.option("--master", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Master data (JSON) in place of the samples.")
@click.option("--controls", is_flag=True, help="Open /__sim/: the ledger as JSON, and faults on demand.")
@click.option("--fault", "faults", multiple=True, metavar="SERVICE:FAULT[:nth=2,...]", help="Fail so from the start; may be repeated.")
@click.option("--lead-time", type=click.FloatRange(0, 3600), default=0.0, help="Seconds before a change request is worked on.")
@click.option("--enhanced", is_flag=True, help="Every call needs a token (enhanced authentication).")
@click.option("--strict-guid", is_flag=True, help="Refuse calls without a session label.")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Speak TLS with this PEM file.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Its private key, where that is another file.")
def simulator(
    port: int,
    data: Path,
    master: Path | None,
    controls: bool,
    faults: tuple[str, ...],
    lead_time: float,
    enhanced: bool,
    strict_guid: bool,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Answer as Spectrum would, and keep a ledger to look into (open the address in a browser)."""
    from portal.spectrum.simulator import serve
    from portal.spectrum.simulator.faults import parse

    try:
        failing = [parse(text) for text in faults]
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    try:
        serve(
            port, data, master, controls, faults=failing, certificate=certificate, key=key,
            lead_s=lead_time, enhanced=enhanced, strict_guid=strict_guid,
        )  # fmt: skip
    except OSError as error:
        raise click.ClickException(f"{error.filename or data}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise click.ClickException(f"{master or 'The sample master data'} is not usable: {error}") from None
