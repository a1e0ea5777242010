"""`portal simulator`: a stand-in for Spectrum."""

from pathlib import Path

import click


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8482, show_default=True, help="TCP port on 127.0.0.1; 0 takes a free one.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the ledger.")
@click.option("--master", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Master data (JSON) in place of the samples.")
@click.option("--controls", is_flag=True, help="Open /__sim/: the ledger as JSON, and faults on demand.")
def simulator(port: int, data: Path, master: Path | None, controls: bool) -> None:
    """Answer as Spectrum would, and keep a ledger to look into (open the address in a browser)."""
    from portal.spectrum.simulator import serve

    try:
        serve(port, data, master, controls)
    except OSError as error:
        raise click.ClickException(f"{error.filename or data}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise click.ClickException(f"{master or 'The sample master data'} is not usable: {error}") from None
