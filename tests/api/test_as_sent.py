"""Over REST too, accounting reads what came back as it was sent, and its project the working copy."""

import json
from decimal import Decimal

from portal.domain.projects import sending
from portal.domain.projects.sending import Draft, LineDraft


def test_a_token_of_finance_reads_what_was_sent(make_system, ben, dee, make_change_order):
    returned = make_change_order("rejected", number="001")
    lines = [LineDraft("16-3000", "M", Decimal("8.75"))]
    sending.edit(returned.id, dee, returned.version, Draft("001", "Corrected", "North", lines))
    finance, project = make_system(ben, name="Finance"), make_system(dee, name="Project")

    theirs, ours = (each.get(f"/change-orders/{returned.id}").json for each in (finance, project))
    (listed,) = finance.get("/change-orders").json["change_orders"]

    assert (theirs["as_sent"], theirs["title"], theirs["amount"], theirs["findings"]) == (True, "Relocate duct bank", "4250.00", [])
    assert [line["phase_code"] for line in theirs["lines"]] == ["16-2000"]
    assert (listed["as_sent"], listed["title"], listed["amount"]) == (True, "Relocate duct bank", "4250.00")
    assert (ours["as_sent"], ours["title"], ours["amount"]) == (False, "Corrected", "8.75")
    assert "Corrected" not in json.dumps([theirs, listed])
