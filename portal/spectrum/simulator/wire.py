"""The simulator's side of the wire: WSDLs of the captured shape [O1], requests taken apart, answers in the published shape [D3]."""

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from lxml import etree

from portal.spectrum.outcomes import Row
from portal.spectrum.services import ELEMENTS, SOAP, TYPES, wsdl

__all__ = ["SOAP", "TYPES", "MalformedError", "answer", "fault", "listing", "read", "wsdl"]

#: What each Get returns, of the fields a client of ours uses.
ANSWERED = {
    "GetCustomers": ("Company_Code", "Customer_Code", "Name", "Status"),
    "GetJob": ("Company_Code", "Job_Number", "Job_Description", "Customer_Code", "Status_Code", "Contract_Number", "Cost_Center"),
    "GetPhase": ("Company_Code", "Job_Number", "Phase_Code", "Cost_Type", "Description", "Status_Code", "Unit_of_Measure"),
}

FAULT_TEXT = "Error executing Web Service"  # [O2]

ENVELOPE = """<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"
    xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<SOAP-ENV:Header/>
<SOAP-ENV:Body>
{body}
</SOAP-ENV:Body>
</SOAP-ENV:Envelope>
"""


class MalformedError(Exception):
    """The request is not one that the service can execute; the server answers with a fault."""


def read(body: bytes, service: str) -> dict[str, str]:
    """The elements of a request, trimmed. Children may be qualified or not [O1] [O2].

    Else they are as the WSDL's xsd:sequence declares them, each once, as text and in order [O1]; anything else is Malformed.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError) as error:
        raise MalformedError("not XML") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise MalformedError("a document type")
    call = root.find(f"{{{SOAP}}}Body/{{{TYPES}}}{service}")
    if root.tag != f"{{{SOAP}}}Envelope" or call is None:
        raise MalformedError("not a call of this service")
    names = [etree.QName(child).localname for child in call]
    if names != list(ELEMENTS[service]):
        raise MalformedError(_against(ELEMENTS[service], names))
    if nested := [name for name, child in zip(names, call, strict=True) if len(child)]:
        raise MalformedError(f"elements inside {', '.join(nested)}")
    return {name: (child.text or "").strip() for name, child in zip(names, call, strict=True)}


def _against(sequence: Sequence[str], names: Sequence[str]) -> str:
    """What of the sequence the elements break, as the journal tells it."""
    if missing := [name for name in sequence if name not in names]:
        return f"without {', '.join(missing)}"
    if unknown := [name for name in names if name not in sequence]:
        return f"unknown elements: {', '.join(unknown)}"
    if twice := [name for name in sequence if names.count(name) > 1]:
        return f"more than once: {', '.join(twice)}"
    return f"out of order from {next(name for name, due in zip(names, sequence, strict=True) if name != due)} on"


def answer(service: str, rows: Iterable[Row]) -> bytes:
    """The answer of a Put [D2] [D3]. No row is success, with an empty returnArray [A]."""
    responses = "".join(
        f"<response><error_code>{escape(row.code)}</error_code><desc>{escape(row.text)}</desc><column>{escape(row.column)}</column></response>\n"
        for row in rows
    )
    data = f"\n<returnData>\n{responses}</returnData>\n" if responses else ""
    body = f'<nis:{service}Response xmlns:nis="{TYPES}">\n<returnArray>{data}</returnArray>\n</nis:{service}Response>'
    return ENVELOPE.format(body=body).encode()


def listing(service: str, rows: Iterable[Mapping[str, str]], told: Iterable[Row] = ()) -> bytes:
    """The answer of a Get [D4] [O3]: its rows, then a row of empty fields for each thing it has to tell."""
    errors = ("Error_Code", "Error_Description", "Error_Column")
    whole = [*({**row, **dict.fromkeys(errors, "")} for row in rows)]
    whole += [{**dict.fromkeys(ANSWERED[service], ""), **dict(zip(errors, (row.code, row.text, row.column), strict=True))} for row in told]
    responses = "".join(
        "<response>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in row.items()) + "</response>\n" for row in whole
    )
    inner = service[0].lower() + service[1:]
    data = f"<returnData><{inner}>\n{responses}</{inner}></returnData>" if whole else ""
    body = f'<nis:{service}Response xmlns:nis="{TYPES}">\n<returnArray>{data}</returnArray>\n</nis:{service}Response>'
    return ENVELOPE.format(body=body).encode()


def fault() -> bytes:
    """Code and text as observed [O2]."""
    body = f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>{FAULT_TEXT}</faultstring></SOAP-ENV:Fault>"
    return ENVELOPE.format(body=body).encode()
