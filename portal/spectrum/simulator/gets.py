"""The Get services: which rows of the master data a question brings."""

from collections.abc import Callable, Iterator, Mapping

from portal.spectrum.simulator.master import Master

Values = Mapping[str, str]
Listed = dict[str, str]


def jobs(values: Values, master: Master) -> Iterator[Listed]:
    """GetJob [D28]."""
    for job in master.jobs.values():
        if job.company == values["pCompany_Code"] and _has(job.status, values) and values["pCustomer_Code"] in ("", job.customer):
            yield {
                "Company_Code": job.company,
                "Job_Number": job.number,
                "Job_Description": job.description[:25],
                "Customer_Code": job.customer,
                "Status_Code": job.status,
                "Contract_Number": job.contract,
                "Cost_Center": "",
            }


def phases(values: Values, master: Master) -> Iterator[Listed]:
    """GetPhase [D29]."""
    for phase in master.phases.values():
        asked = phase.company == values["pCompany_Code"] and values["pJob_Number"] in ("", phase.job) and _has(phase.status, values)
        if asked and values["pCost_Type"] in ("", phase.cost_type):
            yield {
                "Company_Code": phase.company,
                "Job_Number": phase.job,
                "Phase_Code": phase.phase.replace("-", ""),
                "Cost_Type": phase.cost_type,
                "Description": phase.description[:25],
                "Status_Code": phase.status,
                "Unit_of_Measure": phase.unit,
            }


def customers(values: Values, master: Master) -> Iterator[Listed]:
    """GetCustomers [D30]. Every customer of the master data is active."""
    for customer in master.customers.values():
        if customer.company == values["pCompany_Code"]:
            yield {"Company_Code": customer.company, "Customer_Code": customer.code, "Name": customer.name[:30], "Status": "A"}


def vendors(company_code: str, master: Master) -> Iterator[Listed]:
    """GET /vendors/<company>: active ones only [D9]."""
    for vendor in master.vendors.values():
        if vendor.company == company_code and vendor.active:
            yield {"Vendor_Code": vendor.code, "Name": vendor.name[:30]}


def _has(status: str, values: Values) -> bool:
    """Blank asks for active and inactive ones only [D28] [D29]."""
    return status in (values["pStatus_Code"] or "AI")


GETS: Mapping[str, Callable[[Values, Master], Iterator[Listed]]] = {"GetCustomers": customers, "GetJob": jobs, "GetPhase": phases}
