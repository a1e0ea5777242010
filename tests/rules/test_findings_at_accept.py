"""Every finding at Accept that blocks says what to do, and doing it as it says ends in Exported."""

from datetime import date

import pytest

from portal.domain.change_orders import Status
from portal.domain.companies import Company
from portal.domain.rules import spectrum_numbers
from portal.domain.rules.findings import Blocked
from portal.domain.settings import company_settings
from portal.spectrum.records import Refused, Row
from tests.scene import assert_said

ACCEPTED = [  # what accounting or an administrator decides at Accept: the finding, its fix, the settings, what is typed, and then
    ("Export is off", "Set it under Settings, Company.", {"code": ""}, {}, {}),
    ("Spectrum needs an existing", "Choose P (proposed) under Settings, Company.", {"sub_status": "E"}, {}, {}),
    ("Spectrum takes a status of type", "Choose the flag Y, or a status of another type", {"cr_approves": True}, {}, {}),
    ("Your company does not let approvers", "Use S014-001.", {"edit_number": False}, {"number": "X-1"}, {"number": "S014-001"}),
    ("The Spectrum number needs", "For example S014-001.", {}, {"number": "TOO LONG 1"}, {"number": "S014-001"}),
    ("The number X-1 is already used", "Pick another.", {}, {"number": "X-1"}, {"number": "X-2"}),
    ("The description has 251", "Shorten it.", {"custom_title": True}, {"description": "x" * 251, "title": "Duct"}, {"title": "Duct"}),
    ("The accounting date 01/02/2020", "Choose a date in the period, or leave it empty.",
     {"accounting_dates": True, "period_from": date(2026, 1, 1)}, {"accounting_date": date(2020, 1, 2)}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("begins", "fix", "settings", "typed", "then"), ACCEPTED, ids=[row[0] for row in ACCEPTED])
def test_what_is_decided_at_accept_goes_out(scene, begins, fix, settings, typed, then):
    if begins.endswith("already used"):
        scene.other("077", "X-1")
    if settings:
        Company.update(**settings).execute()
    scene.send()
    with pytest.raises(Blocked) as blocked:
        scene.accept(**typed)
    assert_said(blocked.value.findings, begins, fix)

    if not typed:
        scene.settings(cr_approves="")
    scene.accept(**then)
    scene.turn()
    assert scene.one.state is Status.EXPORTED


SWITCHED = [
    ("Your company exports titles as they are", "Switch on custom titles", {"title": "Duct"}, "decisions"),
    ("Your company does not set accounting dates", "Switch them on", {"accounting_date": date(2026, 11, 30)}, "period"),
]  # fmt: skip


@pytest.mark.parametrize(("begins", "fix", "typed", "section"), SWITCHED, ids=[row[0] for row in SWITCHED])
def test_what_is_switched_on_in_the_settings_goes_out(scene, begins, fix, typed, section):
    scene.send()
    with pytest.raises(Blocked) as blocked:
        scene.accept(**typed)
    assert_said(blocked.value.findings, begins, fix)

    switches = {"decisions": {"custom_title": "on", "export_delay": "10"}, "period": {"accounting_dates": "on"}}
    company_settings.change(section, switches[section], scene.eve)
    scene.accept(**typed)
    scene.turn()
    assert scene.one.state is Status.EXPORTED


def test_the_number_that_a_change_order_has_is_kept(scene):
    scene.fail(Refused("Refused.", http=200, rows=[Row("I", "No", "GL_Account")]))
    kept = spectrum_numbers.kept(scene.one)
    scene.review_again()
    with pytest.raises(Blocked) as blocked:
        scene.accept(number="X-1")
    assert_said(blocked.value.findings, f"This change order has the Spectrum number {kept} for good", f"Keep {kept}:")

    scene.accept(number=kept)
    scene.turn()
    assert scene.one.state is Status.EXPORTED
