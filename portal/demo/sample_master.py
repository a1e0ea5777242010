"""Master data of a Spectrum that knows the sample, for the simulator to ship with.

python -m portal.demo.sample_master > portal/spectrum/simulator/master.json
"""

import json
from collections.abc import Iterator
from typing import Any

from portal.demo import samples
from portal.intake import files

CLOSED = ("24-117", "078413", "SUB")  # so that Spectrum refuses “Added fire caulking at shaft 2”, for a person to see a refusal


def master() -> dict[str, Any]:
    """What that Spectrum holds, by section."""
    found = files.read(samples.FILE).entries
    company = samples.COMPANY["code"]
    vendors = {entry.vendor_code: entry.vendor_name for entry in found if entry.vendor_code}
    phases = {
        (entry.job_number, line.phase_code.replace("-", ""), line.cost_type): (line.description, line.unit)
        for entry in reversed(found)
        for line in entry.draft.lines
    }
    services = ["ARChangeRequest", "WSTestConnection", "GetJob", "GetPhase", "GetCustomers", "ChgReqChgOrderNotes"]
    periods = {"ar_period": ["01/01/2000", "12/31/2099"], "ap_period": ["01/01/2000", "12/31/2099"]}
    return {
        "authorization_ids": [{"id": "PORTALTEST", "active": True, "companies": [company], "services": services}],
        "companies": [{"code": company, "name": samples.COMPANY["name"], **periods}],
        "statuses": [{"company": company, "code": code, "action_type": kind} for code, kind in (("AP", 1), ("CR", 3), ("PR", 4))],
        "customers": [
            {"company": company, "code": code, "name": name}
            for code, name in sorted({(one.customer, _owner(one.job_name)) for one in found})
        ],
        "jobs": [
            {"company": company, "number": number, "description": name, "customer": customer, "contract": number, "status": "A"}
            for number, name, customer in sorted({(one.job_number, one.job_name, one.customer) for one in found})
        ],
        "phases": [
            {
                "company": company,
                "job": job,
                "phase": phase,
                "cost_type": cost_type,
                "description": description,
                "status": "C" if (job, phase, cost_type) == CLOSED else "A",
                "unit": unit,
            }
            for (job, phase, cost_type), (description, unit) in sorted(phases.items())
        ],
        "vendors": [{"company": company, "code": code, "name": name, "active": True} for code, name in sorted(vendors.items())],
        "subcontracts": [
            {"company": company, "number": number, "vendor": vendor, "job": job}
            for number, vendor, job in sorted({(one.subcontract, one.vendor_code, one.job_number) for one in found if one.subcontract})
            if vendor
        ],
        "sub_change_orders": [],
    }


def text() -> str:
    """The same as JSON, one record a line."""
    sections = (f"  {json.dumps(name)}: [\n" + ",\n".join(_records(records)) + "\n  ]" for name, records in master().items())
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _records(records: list[dict[str, Any]]) -> Iterator[str]:
    return (f"    {json.dumps(record, ensure_ascii=False)}" for record in records)


def _owner(job_name: str) -> str:
    return f"{job_name.split()[0]} {job_name.split()[1]} Owner"


if __name__ == "__main__":
    print(text(), end="")
