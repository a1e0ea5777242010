"""What an answer means. Only what is understood to the last element counts as good or refused; all else is unknown."""

from collections.abc import Iterator

from lxml import etree

from portal.spectrum.outcomes import ACCESS, DATA, GOOD, REFUSED_US, UNDER_CHECK, OutcomeUnknown, Receipt, Refused, Row, explain
from portal.spectrum.transport import ANSWER_LIMIT, Reply

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "http://www.northgate-is.com/proiv/webservices/types"
EXCERPT = 4096  # bytes of UTF-8
ROW = ("error_code", "desc", "column")


class UnreadableError(Exception):
    """The answer is not what the service gives; the text says how a clerk would put it."""


def judge(reply: Reply, method: str, secret: str) -> Receipt:
    """Give the receipt, or raise Refused or OutcomeUnknown. `secret` is struck out of all that is kept."""
    excerpt = scrub(reply.body, secret)
    if reply.status in (401, 403):
        raise Refused(REFUSED_US, http=reply.status, answer=excerpt)
    try:
        if reply.status != 200:
            raise UnreadableError(_status(reply))
        rows = tuple(_scrubbed(row, secret) for row in _rows(reply, method))
    except UnreadableError as problem:
        raise OutcomeUnknown(f"{problem} {UNDER_CHECK}", http=reply.status, answer=excerpt) from None
    return _decide(rows, reply.status, excerpt)


def _decide(rows: tuple[Row, ...], status: int, excerpt: str) -> Receipt:
    if odd := [row for row in rows if row.code not in GOOD | DATA | ACCESS]:
        raise OutcomeUnknown(explain(odd[0].code, odd[0].column, odd[0].text), http=status, rows=rows, answer=excerpt)
    if bad := [row for row in rows if row.code not in GOOD]:
        sentences = dict.fromkeys(explain(row.code, row.column, row.text) for row in bad)
        raise Refused(" ".join(sentences), http=status, rows=rows, answer=excerpt)
    return Receipt(status, rows, excerpt)


def scrub(body: bytes | str, secret: str) -> str:
    """An excerpt fit for keeping: no control characters, no Authorization ID, at most 4 KiB."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    text = "".join(one for one in text if one.isprintable() or one in "\n\t")
    if secret:
        text = text.replace(secret, "[Authorization ID]")
    return text.encode()[:EXCERPT].decode("utf-8", "ignore")


def _scrubbed(row: Row, secret: str) -> Row:
    """`row` fit for keeping. Cleaning must not turn an odd code into a known one."""
    code = scrub(row.code, secret)[:8]
    return Row(code if code == row.code else "?", scrub(row.text, secret)[:500], scrub(row.column, secret)[:100])


def _status(reply: Reply) -> str:
    if 300 <= reply.status < 400:
        return f"Spectrum sent us to another address (HTTP {reply.status}), which the portal never follows."
    if reply.status >= 500:
        return f"Spectrum reported an internal error (HTTP {reply.status})."
    return f"Spectrum answered in a way the portal does not understand (HTTP {reply.status})."


def _rows(reply: Reply, method: str) -> Iterator[Row]:
    """The rows of `<MethodResponse><returnArray><returnData>*<response>*`; UnreadableError for any other shape."""
    body = _only_child(_envelope(reply), f"{{{SOAP}}}Body")
    wrapper = _only_child(body, f"{{{TYPES}}}{method}Response")
    for data in _only_child(wrapper, "returnArray"):
        if _name(data) != "returnData":
            raise UnreadableError("Spectrum's answer has a part the portal does not know.")
        _no_text(data)
        for response in data:
            if _name(response) != "response":
                raise UnreadableError("Spectrum's answer has a part the portal does not know.")
            yield _row(response)


def _envelope(reply: Reply) -> etree._Element:
    if reply.encoding not in ("", "identity"):
        raise UnreadableError("Spectrum's answer is packed, which nobody asked for.")
    if len(reply.body) > ANSWER_LIMIT:
        raise UnreadableError("Spectrum's answer is far too long.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(reply.body, parser)
    except (etree.LxmlError, ValueError):
        raise UnreadableError("Spectrum's answer is not readable, or is cut off.") from None
    if root.getroottree().docinfo.doctype or root.tag != f"{{{SOAP}}}Envelope":  # type: ignore[union-attr]
        raise UnreadableError("Spectrum's answer is not one of this service.")
    return root


def _only_child(parent: etree._Element, tag: str) -> etree._Element:
    """The child `tag` of `parent`, which has no other (but a SOAP header)."""
    children = [child for child in parent if child.tag != f"{{{SOAP}}}Header"]
    if any(child.tag == f"{{{SOAP}}}Fault" for child in children):
        raise UnreadableError("Spectrum reported an internal error (SOAP fault).")
    if len(children) != 1 or (_name(children[0]) if tag == "returnArray" else children[0].tag) != tag:
        raise UnreadableError("Spectrum's answer is not one of this service.")
    _no_text(parent)
    _no_text(children[0])
    return children[0]


def _row(response: etree._Element) -> Row:
    """A row with one of each of its three parts; a part that is missing or there twice leaves the code blank, that is unknown."""
    names = [_name(part) for part in response]
    parts = {_name(part): "".join(str(text) for text in part.itertext()).strip() for part in response}
    code = parts.get("error_code", "") if names.count("error_code") == 1 and set(names) <= set(ROW) else ""
    return Row(code, parts.get("desc", ""), parts.get("column", ""))


def _no_text(element: etree._Element) -> None:
    pieces = [element.text, *(child.tail for child in element)]
    if any(piece and piece.strip() for piece in pieces):
        raise UnreadableError("Spectrum's answer has a part the portal does not know.")


def _name(element: etree._Element) -> str:
    """Tag without namespace: live servers qualify the inner elements or not [O1] [O2]."""
    return etree.QName(element).localname
