"""A certificate that does not prove that this is Spectrum gets no byte of a change order."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.spectrum.client import Spectrum
from portal.spectrum.records import NotSent
from tests.spectrum.conftest import record
from tests.spectrum.scripted import ScriptedServer, serving

DAY = timedelta(days=1)
__all__ = ["record"]


def certificate(folder, host, ends):
    """The file of a certificate for `host`, with its key; it vouches for itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - 30 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "server.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return str(file)


@pytest.mark.parametrize(
    ("host", "ends_in", "trusted"),
    [("localhost", -DAY, True), ("spectrum.example.com", DAY, True), ("localhost", DAY, False)],
    ids=["expired", "of another host", "signed by itself"],
)
def test_a_bad_certificate_gets_nothing_and_the_clerk_is_told(record, tmp_path, host, ends_in, trusted):
    """F42"""
    file = certificate(tmp_path, host, datetime.now(UTC) + ends_in)
    with serving(ScriptedServer(certificate=file)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        spectrum = Spectrum(url, "PORTALTEST", tmp_path / "wsdl", connect_s=5, deadline_s=5, ca_bundle=file if trusted else "")

        with pytest.raises(NotSent, match=r"certificate of localhost:\d+ could not be verified"):
            spectrum.change_request(record(), "g")

    assert server.requests == []
