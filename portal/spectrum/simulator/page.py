"""A page for a person who wants to look into the simulated Spectrum: what is stored, and which calls came."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from portal.spectrum.simulator.ledger import Ledger

SHOWN = 200  # newest first
STYLE = Path(__file__).with_name("style.css")
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Spectrum simulator</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<h1>Spectrum simulator</h1>
<p>This stands in for Spectrum. Nothing here is in anyone's books.</p>
<h2>Change requests ({count})</h2>
{requests}
<h2>Calls received</h2>
{calls}
</body>
</html>
"""

LINE_COLUMNS = {
    "CR_Phase_Code": "Phase",
    "CR_Cost_Type": "Cost type",
    "Change_Request_Amount": "Amount",
    "Subcontractor_Code": "Vendor",
    "Subcontract_Number": "Subcontract",
    "Sub_Status": "Sub status",
    "Sub_Description": "Description",
    "Sub_Comments": "Comments",
}

ABOUT = ("Change_Request_Number", "CR_CO_Number", "pJob_Number", "pCompany_Code", "Company_Code")
ATTACHED = {"Change_Order_Number": "on change order", "Draw_Number": "on draw request"}
OTHERS = {
    "billing": {"CR_Billing_Item_Code": "Billing item", "CR_Billing_Item_Description": "Description", "CR_Revenue": "Revenue"},
    "markups": {"Markup_Cost_Type": "Markup on cost type", "Markup_Percent": "Percent", "Markup_Amount": "Amount"},
    "addons": {"Pricing_Addon_Code": "Pricing add-on", "Pricing_Addon_MU_Percent": "Percent", "Pricing_Addon_MU_Amount": "Amount"},
    "notes": {"Notes_Text": "Note"},
}


def show(ledger: Ledger) -> Response:
    with ledger:
        requests, calls = ledger.change_requests(), ledger.journal(SHOWN)
    body = DOCUMENT.format(
        count=len(requests),
        requests="\n".join(_request(one) for one in reversed(requests[-SHOWN:])) or "<p>None yet.</p>",
        calls=_calls(reversed(calls)) if calls else "<p>None yet.</p>",
    )
    return Response(body, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})


def style() -> Response:
    return Response(STYLE.read_bytes(), content_type="text/css")


def _request(one: dict[str, Any]) -> str:
    number, job, customer = (escape(one[name]) for name in ("Change_Request_Number", "Job_Number", "Customer_Code"))
    facts = [
        f"Company {escape(one['Company_Code'])}, job {job}, customer {customer}, status {escape(one['CR_Status'])}",
        escape(one["Origination_Date"]),
        *(f"{words} {escape(one[name])}" for name, words in ATTACHED.items() if one[name]),
    ]
    details = [_details(LINE_COLUMNS, one["lines"]), *(_details(columns, one[what]) for what, columns in OTHERS.items() if one[what])]
    return f"<section><h3>{number}: {escape(one['CR_Description'])}</h3><p>{', '.join(filter(None, facts))}</p>{''.join(details)}</section>"


def _details(columns: dict[str, str], rows: Sequence[dict[str, str]]) -> str:
    return _table(list(columns.values()), ([row[name] for name in columns] for row in rows))


def _calls(calls: Iterable[dict[str, Any]]) -> str:
    rows = (
        [
            str(call["seq"]),
            call["at"][:19].replace("T", " "),
            call["method"],
            f"{call['outcome']} ({call['fault']})" if call["fault"] else call["outcome"],
            next((call["elements"][name] for name in ABOUT if call["elements"].get(name)), ""),
            call["elements"].get("Change_Request_Amount", ""),
            "; ".join(f"{row['error_code']} {row['column']}: {row['desc']}" for row in call["rows"]),
        ]
        for call in calls
    )
    return _table(["No.", "Received (UTC)", "Service", "Outcome", "About", "Amount", "Answer"], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"
