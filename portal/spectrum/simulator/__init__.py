"""A stand-in for Spectrum on the same wire: its own process, its own ledger. Only the URL differs from production."""

from pathlib import Path


def serve(port: int, data: Path, master: Path | None = None, controls: bool = False) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    port      0 takes a free one; the address goes to stderr.
    data      folder of the ledger; it is made when missing and survives a restart.
    master    JSON file of master data; the one that ships by default.
    controls  open /__sim/: ledger as JSON, faults, authorisation. For tests and the demonstration.

    Raises OSError or ValueError when folder or file cannot be used.
    """
    from portal.spectrum.simulator.app import Simulator  # the client needs none of this
    from portal.spectrum.simulator.ledger import Ledger
    from portal.spectrum.simulator.master import Master
    from portal.spectrum.simulator.sockets import run

    simulator = Simulator(Ledger(data), Master.load(master), controls)
    try:
        run(simulator, port, simulator.stop)
    finally:
        simulator.ledger.close()
