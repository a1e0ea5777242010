"""What an answer means. Only what is understood to the last element counts as good or refused; all else is unknown."""

import html
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from portal.spectrum import catalogue
from portal.spectrum.catalogue import REFUSED_US
from portal.spectrum.outcomes import ACCESS, DATA, GOOD, OutcomeUnknown, Receipt, Refused, Row, explain
from portal.spectrum.services import SOAP, TYPES
from portal.spectrum.transport import ANSWER_LIMIT, Reply

EXCERPT = 4096  # bytes of UTF-8
QUOTED = 120  # characters
ROW = ("error_code", "desc", "column")
FAULT = re.compile(r"<(?:\w+:)?faultstring\b[^>]*>([^<]*)<")
TITLE = re.compile(r"<title\b[^>]*>([^<]*)<", re.IGNORECASE)
PAGE = re.compile(r"<html\b", re.IGNORECASE)
NUMBER = re.compile(r"(?=\S*\d)[A-Za-z0-9-]+")  # a word that could be a change request number


class UnreadableError(Exception):
    """The answer is not what the service gives; the text says how a clerk would put it. `cause`: column of the catalogue."""

    def __init__(self, text: str, cause: str = "") -> None:
        super().__init__(text)
        self.cause = cause


def judge(reply: Reply, method: str, secrets: Mapping[str, str]) -> Receipt:
    """Give the receipt, or raise Refused or OutcomeUnknown. `secrets` are struck out of all that is kept."""
    excerpt = scrub(reply.body, secrets)
    if reply.status in (401, 403):
        raise Refused(REFUSED_US, http=reply.status, answer=excerpt)
    try:
        rows = read(reply, method, secrets)
    except UnreadableError as problem:
        text = f"{problem}{_shown(excerpt, secrets)}"
        raise OutcomeUnknown(text, http=reply.status, answer=excerpt, cause=problem.cause or "unreadable") from None
    return _decide(rows, reply.status, excerpt)


def read(reply: Reply, method: str, secrets: Mapping[str, str]) -> tuple[Row, ...]:
    """The rows of a Put's answer, whatever they say. Raises UnreadableError."""
    if reply.status != 200:
        raise UnreadableError(status(reply), _cause(reply))
    return tuple(_scrubbed(row, secrets) for row in _rows(reply, method))


def confirm(receipt: Receipt, number: str) -> Receipt:
    """`receipt`, unless it says that the record landed under another number than the one that was sent [A]."""
    for row in receipt.rows:
        named = [word.upper() for word in re.split(r"[^A-Za-z0-9-]+", row.text) if NUMBER.fullmatch(word)]
        if row.column == "Change_Request_Number" and named and number.strip().upper() not in named:
            text = f"{catalogue.find('answer', 'number').meaning} It said: {_quoted(row.text)}."
            raise OutcomeUnknown(text, http=receipt.http, rows=receipt.rows, answer=receipt.answer, cause="number")
    return receipt


def _decide(rows: tuple[Row, ...], status: int, excerpt: str) -> Receipt:
    if odd := [row for row in rows if row.code not in GOOD | DATA | ACCESS]:
        raise OutcomeUnknown(explain(odd[0].code, odd[0].column, odd[0].text), http=status, rows=rows, answer=excerpt)
    if bad := [row for row in rows if row.code not in GOOD]:
        sentences = dict.fromkeys(explain(row.code, row.column, row.text) for row in bad)
        raise Refused(" ".join(sentences), http=status, rows=rows, answer=excerpt)
    return Receipt(status, rows, excerpt)


def scrub(body: bytes | str, secrets: Mapping[str, str]) -> str:
    """An excerpt fit for keeping: no control characters, no secret in either case, at most 4 KiB."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    text = "".join(one for one in text if one.isprintable() or one in "\n\t")
    for name, secret in sorted(secrets.items(), key=lambda one: -len(one[1])):
        text = re.sub(re.escape(secret), f"[{name}]", text, flags=re.IGNORECASE) if secret else text
    return text.encode()[:EXCERPT].decode("utf-8", "ignore")


def _shown(excerpt: str, secrets: Mapping[str, str]) -> str:
    """What an answer that is none shows a person: its fault, the title of a web page, or how it begins. Blank where that tells nothing."""
    text = excerpt.strip()
    if not text:
        return " The answer was empty."
    for found, words in ((FAULT, " It said: {}."), (TITLE, " The answer was a web page titled {}.")):
        if (said := found.search(text)) and said[1].strip():
            return words.format(_quoted(scrub(html.unescape(said[1]), secrets)))  # what was written as entities may be a secret too
    if PAGE.search(text):
        return " The answer was a web page."
    return "" if text.startswith("<") or "\ufffd" in text else f" The answer began: {_quoted(text)}."


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return f"“{words if len(words) <= QUOTED else words[: QUOTED - 1] + '…'}”"


def _scrubbed(row: Row, secrets: Mapping[str, str]) -> Row:
    """`row` fit for keeping. Cleaning must not turn an odd code into a known one."""
    code = row.code if row.code in GOOD | DATA | ACCESS else scrub(row.code, secrets)[:8]
    return Row(code if code == row.code else "?", scrub(row.text, secrets)[:500], scrub(row.column, secrets)[:100])


def _cause(reply: Reply) -> str:
    return "redirect" if 300 <= reply.status < 400 else "fault" if reply.status >= 500 else ""


def status(reply: Reply) -> str:
    if 300 <= reply.status < 400:
        return f"Spectrum sent us to another address (HTTP {reply.status}), which the portal never follows."
    if reply.status >= 500:
        return f"Spectrum reported an internal error (HTTP {reply.status})."
    return f"Spectrum answered in a way the portal does not understand (HTTP {reply.status})."


def _rows(reply: Reply, method: str) -> Iterator[Row]:
    """The rows of `<MethodResponse><returnArray><returnData>*<response>*`; UnreadableError for any other shape."""
    body = _only_child(envelope(reply), f"{{{SOAP}}}Body")
    wrapper = _only_child(body, f"{{{TYPES}}}{method}Response")
    for data in _only_child(wrapper, "returnArray"):
        if _name(data) != "returnData":
            raise UnreadableError("Spectrum's answer has a part the portal does not know.")
        _no_text(data)
        for response in data:
            if _name(response) != "response":
                raise UnreadableError("Spectrum's answer has a part the portal does not know.")
            yield _row(response)


def envelope(reply: Reply) -> etree._Element:
    """The whole document, without anything that could do harm. Raises UnreadableError."""
    if reply.encoding not in ("", "identity"):
        raise UnreadableError("Spectrum's answer is compressed, which the portal did not ask for.")
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
        raise UnreadableError("Spectrum reported an internal error (SOAP fault).", "fault")
    if len(children) != 1 or (_name(children[0]) if tag == "returnArray" else children[0].tag) != tag:
        raise UnreadableError("Spectrum's answer is not one of this service.")
    _no_text(parent)
    _no_text(children[0])
    return children[0]


def _row(response: etree._Element) -> Row:
    """Return the row; a part that is there twice or not known, or a missing code, leaves the code blank, which means unknown."""
    names = [_name(part) for part in response]
    parts = {_name(part): "".join(str(text) for text in part.itertext()).strip() for part in response}
    is_known = len(names) == len(parts) and parts.keys() <= set(ROW)
    code = parts.get("error_code", "") if is_known else ""
    return Row(code, parts.get("desc", ""), parts.get("column", ""))


def _no_text(element: etree._Element) -> None:
    pieces = [element.text, *(child.tail for child in element)]
    if any(piece and piece.strip() for piece in pieces):
        raise UnreadableError("Spectrum's answer has a part the portal does not know.")


def _name(element: etree._Element) -> str:
    """Tag without namespace: live servers qualify the inner elements or not [O1] [O2]."""
    return etree.QName(element).localname
