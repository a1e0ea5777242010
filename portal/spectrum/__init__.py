"""The ERP. `records` speaks of change orders and needs nothing; `connect` gives the client that calls Spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config import Settings
    from portal.spectrum.client import Spectrum
    from portal.spectrum.infolink import InfoLink
    from portal.spectrum.signin import Enhanced


def connect(settings: Settings, *, authorization_id: str = "", basic_company: str = "", enhanced: Enhanced | None = None) -> Spectrum:
    """The client for the Spectrum of these settings. No call is made yet.

    authorization_id  instead of the one of the settings; `basic_company` and `enhanced` as in client.Spectrum.
    """
    from portal.spectrum.client import Spectrum  # here, so that an importer of `records` does not load Zeep

    return Spectrum(
        settings.SPECTRUM_URL,
        authorization_id or settings.SPECTRUM_AUTHORIZATION_ID,
        settings.PORTAL_DATA / "wsdl",
        settings.SPECTRUM_CONNECT_S,
        settings.SPECTRUM_DEADLINE_S,
        settings.SPECTRUM_CA_BUNDLE,
        basic_company=basic_company,
        enhanced=enhanced,
    )


def reader(settings: Settings) -> InfoLink | None:
    """The way to read back what Spectrum holds; None where it is off, as it is by default. Raises Unanswered without the driver."""
    from portal.spectrum import infolink

    if not settings.INFOLINK_SERVER:
        return None
    if settings.INFOLINK_SERVER == "simulator":
        return infolink.simulated(settings.PORTAL_DATA / "simulator" / "spectrum.db")
    place, _, database = settings.INFOLINK_SERVER.partition("/")
    host, _, port = place.partition(":")
    server = infolink.Server(host, database, settings.INFOLINK_USER, settings.INFOLINK_PASSWORD, int(port or 1433), settings.INFOLINK_CA)
    return infolink.sql_server(server)
