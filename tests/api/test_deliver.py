"""An upstream system delivers change orders, sends them, takes them back, and follows what becomes of them."""

import pytest

from portal.domain import events
from portal.domain.change_orders import ChangeOrder, Status, load
from portal.domain.commitments import Commitment, Job
from portal.domain.companies import Company
from portal.domain.people import Membership
from portal.domain.projects import confirm_distinct, sending
from portal.domain.review import decisions
from portal.domain.rules import four_eyes, spectrum_numbers
from tests.cast import signed

FURTHER = [status.value for status in Status if status not in (Status.DRAFT, Status.REJECTED, Status.RETRIEVED)]


def test_a_new_change_order_is_a_draft_of_the_person_the_token_acts_for(system, change, dee):
    answer = system.put("003", change)

    one = answer.json
    kept = load(one["id"])
    assert answer.status_code == 201
    assert answer.location == one["url"] == f"/api/v1/change-orders/{kept.id}"
    assert (kept.status, kept.created_by, kept.number, kept.title) == ("draft", dee, "003", "Relocate duct bank")
    assert (one["job"], one["commitment"], one["amount"], one["status"]) == ("24-117", "SC-014", "4250.00", "draft")
    assert (one["spectrum_number"], one["findings"], one["checks"]) == (None, [], "clean")
    assert one["lines"] == [
        {"phase_code": "16-2000", "cost_type": "SUB", "bid_item": "", "description": "", "quantity": None, "unit": "", "amount": "4250.00"}
    ]


def test_delivered_again_it_is_replaced_as_a_whole(system, change):
    first = system.put("003", change | {"description": "North wing"}).json
    change["lines"] = [{"phase_code": "02-1000", "cost_type": "MAT", "amount": "-1.5", "quantity": "2.50", "unit": "EA"}]

    answer = system.put("003", change)

    assert answer.status_code == 200
    assert (answer.json["id"], answer.json["version"]) == (first["id"], 2)
    assert (answer.json["description"], answer.json["amount"]) == ("", "-1.50")
    assert [line["phase_code"] for line in answer.json["lines"]] == ["02-1000"]
    assert answer.json["lines"][0]["quantity"] == "2.50"


def test_the_same_delivered_again_writes_nothing(system, change):
    first = system.put("003", change).json

    assert system.put("003", change).json == first
    assert len(events.history("change_order", first["id"])) == 1


def test_what_is_wrong_is_kept_and_told_with_its_place(system, change):
    change |= {"title": "x" * 31, "lines": [change["lines"][0], {"phase_code": "16-2010", "amount": "1"}]}

    one = system.put("003", change).json

    assert one["checks"] == "block"
    assert [(finding["pointer"], finding["rule"], finding["blocking"]) for finding in one["findings"]] == [
        ("/title", 2, True),
        ("/lines/1/cost_type", 7, True),
    ]
    assert one["findings"][1]["detail"] == "Line 2 has no cost type."
    assert one["findings"][1]["fix"] == "Fill it in."


def test_a_draft_of_a_commitment_without_a_vendor_is_listed_and_says_so(system, change, commitment):
    Commitment.update(vendor=None).execute()

    one = system.put("003", change).json

    assert [(finding["rule"], finding["detail"]) for finding in one["findings"]] == [(5, "Commitment SC-014 has no vendor.")]
    assert [listed["number"] for listed in system.get("/change-orders").json["change_orders"]] == ["003"]
    assert system.send(one).status_code == 422


def test_sending_says_all_that_stands_against_it_and_sends_nothing(system, change):
    one = system.put("003", change | {"title": "", "lines": []}).json

    answer = system.send(one)

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == "urn:cco-portal:problem:blocked"
    assert [error["pointer"] for error in answer.json["errors"]] == ["/title", "/lines"]
    assert load(one["id"]).status == "draft"


def test_sent_it_waits_for_accounting_and_taken_back_it_can_be_corrected(system, change, dee):
    sent = system.send(system.put("003", change).json)
    assert (sent.status_code, sent.json["status"], sent.json["revision"]) == (200, "ready", 1)
    assert load(sent.json["id"]).sent_by == dee

    back = system.retrieve(sent.json)

    assert (back.status_code, back.json["status"]) == (200, "retrieved")
    assert system.put("003", change | {"title": "Better"}).json["title"] == "Better"


def test_a_rejected_one_says_why_and_is_delivered_again(system, change, ana):
    sent = system.send(system.put("003", change).json).json
    decisions.reject(sent["id"], by=ana, version=sent["version"], reason="Wrong cost type")

    one = system.get(f"/change-orders/{sent['id']}").json

    assert (one["status"], one["reason"]) == ("rejected", "Wrong cost type")
    corrected = system.put("003", change | {"title": "Corrected"}).json
    assert system.send(corrected).json["revision"] == 2


def test_an_accepted_one_shows_its_spectrum_number(system, change, ana):
    sent = system.send(system.put("003", change).json).json
    signed(sent["id"], by=ana, version=sent["version"])

    one = system.get("/jobs/24-117/commitments/SC-014/change-orders/003").json

    assert (one["status"], one["status_label"], one["spectrum_number"]) == ("queued", "Queued", "S014-003")
    assert one["findings"] == []
    assert system.get("/change-orders").json["change_orders"][0]["spectrum_number"] == spectrum_numbers.kept(load(one["id"]))


@pytest.mark.parametrize("status", FURTHER)
def test_what_is_ready_or_further_is_never_touched(system, change, make_change_order, status):
    there = make_change_order(status)
    before = (sending.snapshot(load(there.id)), load(there.id).version, len(events.history("change_order", there.id)))

    answer = system.put(there.number, change | {"title": "Other"})

    assert answer.status_code == 409
    assert answer.json["change_order"]["status"] == status
    assert load(there.id).label in answer.json["detail"]
    assert (sending.snapshot(load(there.id)), load(there.id).version, len(events.history("change_order", there.id))) == before


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_what_came_back_is_replaced_where_its_version_was_seen(system, change, make_change_order, status):
    there = make_change_order(status)

    unseen = system.put(there.number, change | {"title": "Other"})

    assert (unseen.status_code, unseen.json["type"]) == (409, "urn:cco-portal:problem:came-back")
    assert (unseen.json["change_order"]["title"], load(there.id).version) == ("Relocate duct bank", there.version)
    assert system.put(there.number, change | {"title": "Other", "version": there.version}).json["title"] == "Other"


@pytest.mark.parametrize("status", ["rejected", "retrieved"])
def test_the_same_delivered_again_does_not_undo_what_was_corrected_since(system, change, ana, dee, status):
    sent = system.send(system.put("003", change).json).json
    if status == "rejected":
        decisions.reject(sent["id"], by=ana, version=sent["version"], reason="Wrong amount")
    else:
        system.retrieve(sent)
    draft = sending.Draft("003", "Corrected", "", [])
    sending.edit(sent["id"], dee, load(sent["id"]).version, draft)
    version = load(sent["id"]).version

    again = system.put("003", change)

    assert (again.status_code, again.json["title"], again.json["version"]) == (200, "Corrected", version)
    assert system.put("003", change | {"version": version}).json["title"] == "Relocate duct bank"
    assert system.put("003", change | {"title": "News"}).json["title"] == "News"


def test_what_was_delivered_last_counts_when_it_is_corrected_and_delivered_again(system, change, dee):
    one = system.put("003", change).json
    system.put("003", change | {"title": "News"})
    sending.edit(one["id"], dee, load(one["id"]).version, sending.Draft("003", "Corrected", "", []))

    assert system.put("003", change | {"title": "News"}).json["title"] == "Corrected"


def test_the_same_delivered_again_is_no_news_where_its_number_was_spelled_otherwise_since(system, change, dee):
    made = system.put("c-2", change).json
    sending.edit(made["id"], dee, made["version"], sending.Draft("C-2", "Corrected", "", []))

    assert system.put("c-2", change).json["title"] == "Corrected"


def test_what_another_system_delivered_is_no_news_of_this_one(make_system, system, change, ana, ben, commitment):
    Membership.create(user=ben, job=commitment.job)
    other = make_system(ben, name="Other")
    sent = system.send(system.put("003", change).json).json
    decisions.reject(sent["id"], by=ana, version=sent["version"], reason="Wrong amount")
    corrected = other.put("003", change | {"title": "Corrected", "version": load(sent["id"]).version}).json

    assert system.put("003", change).json == corrected


def test_a_version_that_was_not_seen_last_changes_nothing(system, change):
    one = system.put("003", change).json
    system.put("003", change | {"title": "Meanwhile"})

    for answer in (system.put("003", change | {"version": 1, "title": "Late"}), system.send(one)):
        assert answer.status_code == 409
        assert (answer.json["change_order"]["title"], answer.json["change_order"]["version"]) == ("Meanwhile", 2)
    assert system.put("003", change | {"version": 2, "title": "In time"}).status_code == 200


def test_a_version_of_what_is_not_there_makes_nothing(system, change):
    assert system.put("003", change | {"version": 1}).status_code == 404
    assert not ChangeOrder.select().exists()


def test_retrieved_too_late_it_says_how_it_is_now(system, change, ana):
    sent = system.send(system.put("003", change).json).json
    signed(sent["id"], by=ana, version=sent["version"])

    answer = system.retrieve(sent)

    assert answer.status_code == 409
    assert answer.json["change_order"]["status"] == "queued"


def test_every_event_names_the_token(system, change):
    one = system.put("003", change).json
    one = system.put("003", change | {"title": "Other"}).json
    system.retrieve(system.send(one).json)

    history = events.history("change_order", one["id"])

    assert [event.action for event in history] == ["created", "edited", "sent", "retrieved"]
    assert [event.facts["token"] for event in history] == ["Procore sync"] * 4


def test_what_people_do_names_no_token(system, change, dee):
    one = system.put("003", change).json
    sending.send(one["id"], dee, one["version"])

    assert "token" not in events.history("change_order", one["id"])[-1].facts


def test_four_eyes_hold_for_the_person_the_token_acts_for(make_system, change, ana, commitment):
    Membership.create(user=ana, job=commitment.job)
    system = make_system(ana)
    sent = system.send(system.put("003", change).json).json

    with pytest.raises(sending.NotPermitted, match="four eyes"):
        signed(sent["id"], by=ana, version=sent["version"])


def test_four_eyes_hold_for_who_made_the_token_too(system, change, ada, ana):
    sent = system.send(system.put("003", change).json).json

    with pytest.raises(sending.NotPermitted, match="You made the access token with which this change order was sent or written"):
        signed(sent["id"], by=ada, version=sent["version"])
    assert not ChangeOrder.select().join(Commitment).join(Job).join(Company).where(four_eyes.waits_for(ada)).exists()
    assert ChangeOrder.select().join(Commitment).join(Job).join(Company).where(four_eyes.waits_for(ana)).exists()
    assert signed(sent["id"], by=ana, version=sent["version"]).status == "queued"


def test_who_made_a_token_decides_what_its_person_sends_by_hand(system, change_order, ada):
    assert signed(change_order.id, by=ada, version=change_order.version).status == "queued"


@pytest.mark.parametrize("delivered", ["new", "changed"])
def test_what_a_token_wrote_and_a_person_sends_is_its_makers_too(system, change, make_change_order, dee, ada, ana, delivered):
    number = "003" if delivered == "new" else make_change_order("draft").number
    one = load(system.put(number, change | {"title": "News"}).json["id"])
    sent = sending.send(one.id, dee, one.version)

    with pytest.raises(sending.NotPermitted, match="You made the access token with which this change order was sent or written"):
        signed(sent.id, by=ada, version=sent.version)
    assert signed(sent.id, by=ana, version=sent.version).status == "queued"


def test_what_a_token_wrote_stays_its_makers_when_a_person_sends_it_again(system, change, make_change_order, dee, ada, ana):
    there = make_change_order("rejected")
    sent = system.send(system.put(there.number, change).json).json
    decisions.reject(sent["id"], by=ana, version=sent["version"], reason="Again")
    by_hand = sending.send(sent["id"], dee, load(sent["id"]).version)

    with pytest.raises(sending.NotPermitted, match="You made the access token with which this change order was sent or written"):
        signed(by_hand.id, by=ada, version=by_hand.version)
    assert not ChangeOrder.select().join(Commitment).join(Job).join(Company).where(four_eyes.waits_for(ada)).exists()
    assert signed(by_hand.id, by=ana, version=by_hand.version).status == "queued"


def test_only_a_member_of_the_job_delivers_and_sends(make_system, change, ben, change_order):
    system = make_system(ben)
    seen = system.get(f"/change-orders/{change_order.id}").json

    for answer in (system.put("009", change), system.send(seen), system.retrieve(seen)):
        assert answer.status_code == 403
        assert "not a member of job 24-117" in answer.json["detail"]
        assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["24-118/commitments/SC-014", "24-117/commitments/SC-015"])
def test_jobs_and_commitments_have_to_be_there(system, change, path):
    answer = system.open("PUT", f"/jobs/{path}/change-orders/003", change)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_number_of_blanks_is_none(system, change):
    answer = system.put("%20", change)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/number"


def test_two_spellings_of_a_number_are_one_change_order(system, change):
    first = system.put("003-e\u0301", change).json

    again = system.put("%20003-\u00e9%20", change)

    assert (again.status_code, again.json["id"]) == (200, first["id"])


def test_drafts_are_seen_by_members_only_and_what_was_sent_by_who_has_a_level(make_system, make_change_order, dee, ben):
    draft, sent = make_change_order("draft"), make_change_order("ready")
    accounting, member = make_system(ben, "read", name="Reports"), make_system(dee, "read")

    assert [one["id"] for one in member.get("/change-orders").json["change_orders"]] == [draft.id, sent.id]
    assert [one["id"] for one in accounting.get("/change-orders").json["change_orders"]] == [sent.id]
    assert accounting.get(f"/change-orders/{draft.id}").status_code == 404
    assert accounting.get(f"/jobs/24-117/commitments/SC-014/change-orders/{draft.number}").status_code == 404
    assert accounting.get(f"/change-orders/{sent.id}").status_code == 200


def test_who_is_no_member_and_has_no_level_sees_nothing(make_system, make_user, change_order):
    stranger = make_system(make_user("Cy Stranger"))

    assert stranger.get("/change-orders").json == {"change_orders": [], "next": None}
    assert stranger.get(f"/change-orders/{change_order.id}").status_code == 404
    assert stranger.retrieve({"id": change_order.id, "version": change_order.version}).status_code == 404


def test_what_is_sent_through_another_commitment_is_another_change_order(system, change, company, vendor, commitment, dee):
    other = Job.create(company=company, number="24-118", name="Pier", customer="NORTHSIDE")
    Commitment.create(job=other, vendor=vendor, number="SC-014", subcontract="SC-099")
    Membership.create(user=dee, job=other)

    first = system.put("003", change).json
    second = system.open("PUT", "/jobs/24-118/commitments/SC-014/change-orders/003", change)

    assert second.status_code == 201
    assert second.json["id"] != first["id"]


def test_sending_twice_answers_as_retrieving_twice_does(system, change):
    one = system.put("003", change).json

    sent = [system.send(one), system.send(one)]
    back = [system.retrieve(sent[0].json), system.retrieve(sent[0].json)]

    assert [answer.status_code for answer in sent + back] == [200, 200, 200, 200]
    assert sent[0].json == sent[1].json
    assert [event.action for event in events.history("change_order", one["id"])] == ["created", "sent", "retrieved"]


@pytest.mark.parametrize("address", ["24–117/commitments/sc–014", "２４-117/commitments/SC-０１４", "24-117%C2%A0/commitments/sc-014"])
def test_every_spelling_of_job_and_commitment_is_the_same(system, change, address):
    one = system.put("003", change).json

    again = system.open("PUT", f"/jobs/{address}/change-orders/００３", change)

    assert (again.status_code, again.json) == (200, one)
    assert system.get(f"/jobs/{address}/change-orders/003").json == one
    assert [found["id"] for found in system.get("/change-orders?commitment=sc-014&number=００３").json["change_orders"]] == [one["id"]]


def test_every_spelling_of_a_number_is_the_same_change_order(system, change):
    one = system.put("CO-3a", change).json

    again = system.put("co–3A", change)

    assert (again.status_code, again.json) == (200, one)
    assert system.put("Co-3A", change | {"title": "News"}).json["id"] == one["id"]


def test_a_look_alike_is_a_draft_and_sent_only_after_a_person_said_that_it_is_another_one(system, change, dee, make_change_order):
    first = make_change_order("exported", number="001")
    answer = system.put("1", change)
    one = answer.json
    assert (answer.status_code, [finding["rule"] for finding in one["findings"]]) == (201, [23])

    refused = system.send(one)
    confirm_distinct.tell_apart(one["id"], dee, "CCO", first.id)

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/number")
    assert system.send(one).status_code == 200
