"""Spectrum's SOAP services as Trimble's tables give them, and the WSDL that a server of the captured shape [O1] would serve for them."""

from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from portal.spectrum.fields import FIELDS

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://www.northgate-is.com/proiv/webservices/types"

#: Each service with its elements, in the order of its table. The order of ARChangeRequest on a server is not public [A].
ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "ARChangeRequest": tuple(field.name for field in FIELDS),
    "ChgReqChgOrderNotes": (  # [D19]; which elements there are besides the named ones, and their order, is [A]
        "Authorization_ID",
        "GUID",
        "Company_Code",
        "Job_Number",
        "Customer_Code",
        "Type",
        "CR_CO_Number",
        "Notes_Text",
        "Append_Note",
    ),
    "GetCustomers": ("Authorization_ID", "GUID", "pCompany_Code", "pStatus"),  # [D30]
    "GetJob": (  # [D28]
        "Authorization_ID",
        "GUID",
        "pCompany_Code",
        "pDivision",
        "pStatus_Code",
        "pProject_Manager",
        "pSuperintendent",
        "pEstimator",
        "pCustomer_Code",
        "pCost_Center",
        "pSort_By",
    ),
    "GetPhase": (  # [D29]
        "Authorization_ID",
        "GUID",
        "pCompany_Code",
        "pCost_Type",
        "pJob_Number",
        "pStatus_Code",
        "pCost_Center",
        "pSort_By",
    ),
    "WSTestConnection": ("Authorization_ID", "Version"),  # [D11]
}

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


def wsdl(service: str, base_url: str) -> str:
    """The WSDL of one service: document/literal, a flat sequence of strings, all of them required [O1]."""
    elements = "\n".join(f'<xsd:element name="{name}" type="xsd:string" nillable="false"/>' for name in ELEMENTS[service])
    return WSDL.format(name=service, types=TYPES, elements=elements, address=quoteattr(f"{base_url}/ws/{service}"))
