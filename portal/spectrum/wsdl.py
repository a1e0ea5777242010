"""The message as the server wants it: Zeep reads its WSDL and builds the envelope, in its order, with every element it declares."""

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import zeep
import zeep.exceptions
from lxml import etree
from zeep.wsdl.bindings import Soap11Binding

from portal.spectrum import services
from portal.spectrum.outcomes import NotSent

DEFINITIONS = "{http://schemas.xmlsoap.org/wsdl/}definitions"
UNREADABLE = (zeep.exceptions.Error, etree.LxmlError, LookupError, ValueError, AttributeError, TypeError)
SAFE = zeep.Settings(strict=True, xml_huge_tree=False, forbid_dtd=True, forbid_entities=True, forbid_external=True)


class _NoImports:
    """Zeep's way to other documents. A service describes itself in one; whatever it points to is not fetched."""

    def load(self, url: str) -> bytes:
        raise ValueError(f"the WSDL refers to another document, {url}")


class Wsdl:
    """The WSDL of one service, kept as a file so that each forked worker need not fetch it.

    The file name carries the address: the simulator's order of elements must never be used for a real server. Where a server answers
    but gives no usable WSDL, the last one it gave serves, else the order of Trimble's table [A].
    """

    def __init__(self, service: str, base_url: str, folder: Path) -> None:
        self.service = service
        self.base_url = base_url
        self.file = folder / f"{service}-{hashlib.sha256(base_url.encode()).hexdigest()[:12]}.wsdl"
        self.outdated = self.file.with_suffix(".old")
        self._client: zeep.Client | None = None

    def envelope(self, values: Mapping[str, str], fetch: Callable[[], bytes]) -> bytes:
        """A whole SOAP request. Elements the server declares and `values` lacks are sent empty [O1].

        `fetch` gives what the server answered when asked for its WSDL, usable or not; whatever it raises passes through.
        Raises NotSent when the server does not know an element that has a value.
        """
        client = self._client = self._client or self._load(fetch)
        service, declared = self._bound(client)
        if unknown := [name for name, value in values.items() if value and name not in declared]:
            text = f"Nothing was sent to Spectrum: its {self.service} has no element {', '.join(unknown)}."
            raise NotSent(text, cause="wsdl")
        try:
            message = client.create_message(service, self.service, **{name: values.get(name, "") for name in declared})  # type: ignore[no-untyped-call]
        except UNREADABLE:
            raise NotSent("Nothing was sent to Spectrum: the message could not be built from its WSDL.", cause="wsdl") from None
        return etree.tostring(message, xml_declaration=True, encoding="utf-8")

    def forget(self) -> None:
        """Read the WSDL again at the next call: a fault may mean that the server changed."""
        self._client = None
        with suppress(OSError):
            self.file.replace(self.outdated)

    def _load(self, fetch: Callable[[], bytes]) -> zeep.Client:
        return self._read(self.file) or self._fetched(fetch()) or self._read(self.outdated) or self._shipped()

    def _read(self, file: Path) -> zeep.Client | None:
        try:
            return self._parse(file.read_bytes())
        except (OSError, *UNREADABLE):
            return None  # not kept yet, or damaged, e.g. by a full disk

    def _fetched(self, document: bytes) -> zeep.Client | None:
        try:
            client = self._parse(document)
        except UNREADABLE:
            return None
        self._keep(document)
        return client

    def _shipped(self) -> zeep.Client:
        return self._parse(services.wsdl(self.service, self.base_url).encode())

    def _parse(self, document: bytes) -> zeep.Client:
        """Raises one of UNREADABLE."""
        root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False))
        if root.tag != DEFINITIONS:
            raise ValueError("not a WSDL")
        client = zeep.Client(io.BytesIO(document), transport=_NoImports(), settings=SAFE)  # type: ignore[no-untyped-call]
        self._bound(client)
        return client

    def _bound(self, client: zeep.Client) -> tuple[Any, list[str]]:
        """The service on its SOAP 1.1 port, and the elements it declares, in order."""
        for service in client.wsdl.services.values():
            for port in service.ports.values():
                if isinstance(port.binding, Soap11Binding):
                    elements = port.binding.get(self.service).input.body.type.elements  # type: ignore[no-untyped-call]
                    return client.bind(service.name, port.name), [name for name, _ in elements]
        raise ValueError("no SOAP 1.1 port")

    def _keep(self, document: bytes) -> None:
        """Whole or not at all: another worker may read at the same moment. A folder that takes no file only costs time."""
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft = self.file.with_suffix(f".{os.getpid()}")
            draft.write_bytes(document)
            draft.replace(self.file)
