"""The simulator's side of the wire: WSDLs of the captured shape [O1], requests taken apart, answers in the published shape [D3]."""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from portal.spectrum.fields import FIELDS
from portal.spectrum.outcomes import Row

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://www.northgate-is.com/proiv/webservices/types"

#: Each service with its elements, in the order of Trimble's tables.
SERVICES: Mapping[str, tuple[str, ...]] = {
    "ARChangeRequest": tuple(field.name for field in FIELDS),
    "WSTestConnection": ("Authorization_ID", "Version"),
}

FAULT_TEXT = "Error executing Web Service"  # [O2]

WSDL = """<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions name="{name}" targetNamespace="http://www.northgate-is.com/proiv/webservices/wsdl"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://www.northgate-is.com/proiv/webservices/wsdl" xmlns:nis="{types}">
<wsdl:types>
<xsd:schema targetNamespace="{types}">
<xsd:element name="{name}"><xsd:complexType><xsd:sequence>
{elements}
</xsd:sequence></xsd:complexType></xsd:element>
<xsd:element name="{name}Response"><xsd:complexType><xsd:sequence>
<xsd:element name="returnArray"><xsd:complexType><xsd:sequence>
<xsd:element name="returnData" minOccurs="0" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>
<xsd:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>
</wsdl:types>
<wsdl:message name="{name}Input"><wsdl:part name="parameters" element="nis:{name}"/></wsdl:message>
<wsdl:message name="{name}Output"><wsdl:part name="parameters" element="nis:{name}Response"/></wsdl:message>
<wsdl:portType name="{name}PortType"><wsdl:operation name="{name}">
<wsdl:input message="tns:{name}Input"/><wsdl:output message="tns:{name}Output"/>
</wsdl:operation></wsdl:portType>
<wsdl:binding name="{name}Binding" type="tns:{name}PortType">
<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
<wsdl:operation name="{name}"><soap:operation soapAction={address} style="document"/>
<wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
</wsdl:operation></wsdl:binding>
<wsdl:service name="{name}">
<wsdl:port name="{name}Port" binding="tns:{name}Binding"><soap:address location={address}/></wsdl:port>
</wsdl:service>
</wsdl:definitions>
"""

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


def wsdl(service: str, base_url: str) -> str:
    elements = "\n".join(f'<xsd:element name="{name}" type="xsd:string" nillable="false"/>' for name in SERVICES[service])
    return WSDL.format(name=service, types=TYPES, elements=elements, address=quoteattr(f"{base_url}/ws/{service}"))


def read(body: bytes, service: str) -> dict[str, str]:
    """The elements of a request, trimmed. Children may be qualified or not [O1] [O2]; a missing one is Malformed [O1]."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError) as error:
        raise MalformedError("not XML") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise MalformedError("a document type")
    call = root.find(f"{{{SOAP}}}Body/{{{TYPES}}}{service}")
    if root.tag != f"{{{SOAP}}}Envelope" or call is None:
        raise MalformedError("not a call of this service")
    values = {etree.QName(child).localname: (child.text or "").strip() for child in call}
    if missing := [name for name in SERVICES[service] if name not in values]:
        raise MalformedError(f"without {', '.join(missing)}")
    return {name: values[name] for name in SERVICES[service]}


def answer(service: str, rows: Iterable[Row]) -> bytes:
    """The answer of a Put [D2] [D3]. No row is success, with an empty returnArray [A]."""
    responses = "".join(
        f"<response><error_code>{escape(row.code)}</error_code><desc>{escape(row.text)}</desc><column>{escape(row.column)}</column></response>\n"
        for row in rows
    )
    data = f"\n<returnData>\n{responses}</returnData>\n" if responses else ""
    body = f'<nis:{service}Response xmlns:nis="{TYPES}">\n<returnArray>{data}</returnArray>\n</nis:{service}Response>'
    return ENVELOPE.format(body=body).encode()


def fault() -> bytes:
    """Code and text as observed [O2]."""
    body = f"<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>{FAULT_TEXT}</faultstring></SOAP-ENV:Fault>"
    return ENVELOPE.format(body=body).encode()
