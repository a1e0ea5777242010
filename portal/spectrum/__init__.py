"""The ERP. `records` speaks of change orders and needs nothing; `connect` gives the client that calls Spectrum."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config import Settings
    from portal.spectrum.client import Spectrum


def connect(settings: Settings) -> Spectrum:
    """The client for the Spectrum of these settings. No call is made yet."""
    from portal.spectrum.client import Spectrum  # here, so that whoever needs only `records` does not load Zeep

    return Spectrum(
        settings.SPECTRUM_URL,
        settings.SPECTRUM_AUTHORIZATION_ID,
        settings.PORTAL_DATA / "wsdl",
        settings.SPECTRUM_CONNECT_S,
        settings.SPECTRUM_DEADLINE_S,
        settings.SPECTRUM_CA_BUNDLE,
    )
