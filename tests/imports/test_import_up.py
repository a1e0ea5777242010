"""A file handed in on the page, with all processes running: the keeper rings, the worker reads, and after *Import* imports."""

from tests.import_files import text_of
from tests.people import Person
from tests.processes import PortalUp, eventually


def test_the_worker_reads_and_imports_what_a_person_hands_in(portal_up: PortalUp) -> None:
    eve = next(account for account in portal_up.report["accounts"] if account["what"] == "admin")
    person = Person(portal_up.report["url"], eve["email"], eve["password"])
    form = person.page("/imports").find("form", enctype=True)
    token = form.find("input", attrs={"name": "csrf_token"})["value"]
    text = text_of(
        {"job_number": "99-001", "job_name": "Annex", "vendor_name": "New Vendor", "vendor_code": "", "commitment_number": "SC-900"}
    )

    answer = person.browser.post(
        f"{person.base}/imports", data={"csrf_token": token}, files={"file": ("orders.csv", text.encode(), "text/csv")}, timeout=30
    )
    path = answer.url.removeprefix(person.base)
    eventually(lambda: "1 new" in person.page(path).text)
    person.press(person.page(path).find("main"), "Import")

    eventually(lambda: "Imported: 1 new" in person.page(path).text)
