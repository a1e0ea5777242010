"""A stand-in for Spectrum on the same wire: its own process, its own ledger. Only the URL differs from production."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portal.spectrum.simulator.faults import Fault


def serve(
    port: int,
    data: Path,
    master: Path | None = None,
    controls: bool = False,
    *,
    faults: "Iterable[Fault]" = (),
    certificate: Path | None = None,
    key: Path | None = None,
    **options: Any,
) -> None:
    """Serve on 127.0.0.1, under the word of its folder, until SIGTERM or SIGINT.

    port         0 takes a free one; the address goes to stderr.
    data         folder of the ledger; it is made when missing and survives a restart.
    master       JSON file of master data; the one that ships by default.
    controls     open /__sim/: ledger as JSON, faults, authorisation, clock. For tests and the demonstration.
    faults       ways to fail from the start, see `faults.parse`.
    certificate  PEM file; with it the server speaks TLS. `key`: its private key, where it is a file of its own.
    options      switches, see `world.Options`.

    Raises OSError or ValueError when folder, file or fault cannot be used.
    """
    from portal import secret_path
    from portal.spectrum.simulator.app import Simulator  # the client needs none of this
    from portal.spectrum.simulator.controls import Controls
    from portal.spectrum.simulator.ledger import Ledger
    from portal.spectrum.simulator.master import Master
    from portal.spectrum.simulator.server import run
    from portal.spectrum.simulator.world import Options

    simulator = Simulator(Ledger(data), Master.load(master), Options(**options))
    try:
        simulator.faults.put(faults)
        app = Controls(simulator) if controls else simulator
        run(app, secret_path.word(data), port, certificate, key, refuses=simulator.refuses_connection, stop=simulator.stop)
    finally:
        simulator.world.ledger.close()
