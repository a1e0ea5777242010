"""A network that breaks after each tenth of a request: not sent before the first byte of it, unknown from there on, never good."""

from pathlib import Path

import pytest

from portal.spectrum.client import Spectrum
from portal.spectrum.records import NotSent, OutcomeUnknown
from tests.spectrum.process import SimulatorProcess
from tests.spectrum.proxy import cutting

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))


def through(proxy, process, folder, scheme="http", **settings):
    return Spectrum(f"{scheme}://127.0.0.1:{proxy.port}/{process.word}", "PORTALTEST", folder, connect_s=5, deadline_s=10, **settings)


@pytest.mark.parametrize("tenth", range(11))
def test_a_request_cut_on_its_way_is_unknown_and_only_a_whole_one_is_stored(simulator, record, tmp_path, tenth):
    with cutting(simulator.port) as proxy:
        spectrum = through(proxy, simulator, tmp_path)
        spectrum.change_request(record(), "whole")
        whole = proxy.passed
        proxy.limit = whole * tenth // 10

        with pytest.raises(OutcomeUnknown if tenth else (NotSent, OutcomeUnknown)) as doubt:
            spectrum.change_request(record(Change_Request_Amount="4251.00"), "again")

    assert doubt.value.http is None
    assert proxy.passed == proxy.limit
    if tenth < 10:
        assert [line["Change_Request_Amount"] for line in simulator.ledger()[0]["lines"]] == ["4250.00"]


def test_a_connection_that_is_never_made_sent_nothing(simulator, record, tmp_path):
    with cutting(simulator.port) as proxy:
        spectrum = through(proxy, simulator, tmp_path)
        spectrum.change_request(record(), "whole")

    with pytest.raises(NotSent):
        spectrum.change_request(record(Change_Request_Amount="1.00"), "never")


@pytest.fixture(scope="module")
def secure(tmp_path_factory, master):
    process = SimulatorProcess(tmp_path_factory.mktemp("secure"), master, certificate=CERTIFICATE)
    yield process
    process.kill()


def test_over_tls_only_a_cut_before_the_request_is_not_sent(secure, record, tmp_path):
    tenths, outcomes = range(10), []
    with cutting(secure.port, talks_back=True) as proxy:
        spectrum = through(proxy, secure, tmp_path, "https", ca_bundle=CERTIFICATE)
        spectrum.change_request(record(), "whole")
        whole = proxy.passed
        for tenth in tenths:
            proxy.limit = whole * tenth // 10
            with pytest.raises((NotSent, OutcomeUnknown)) as problem:
                spectrum.change_request(record(Change_Request_Amount="1.00"), f"cut {tenth}")
            outcomes.append(problem.type)

    assert outcomes == sorted(outcomes, key=lambda kind: kind is OutcomeUnknown)
    assert {outcomes[0], outcomes[-1]} == {NotSent, OutcomeUnknown}
    known = {call["guid"] for call in secure.journal()}
    assert not [tenth for tenth in tenths if outcomes[tenth] is NotSent and f"cut {tenth}" in known]
