"""Requests made out of good ones: what a page would send, with up to three things wrong with it. The same seed makes the same requests."""

import json
import random
import re
from dataclasses import dataclass, field, replace
from io import BytesIO
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tests.attacks import catalogue

ARGUMENT = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
KNOWN = {  # what the arguments of addresses are when they are no ids
    "job": ("24-117", "25-001"),
    "commitment": ("SC-014", "PO-001"),
    "number": ("001", "003", "010", "950"),
    "filename": ("portal.css", "portal.js", "vendor/htmx.min.js", "icons.svg"),
}
MOST_IDS = 14
FIELDS = [
    ("version", "2"),
    ("note", "x"),
    ("number", "S014-001"),
    ("change_order", "1"),
    ("seen", "adds"),
    ("next", "/jobs"),
]  # of forms that no page showed
LARGE_ONE_IN = 400
CHANGE = {"title": "From outside", "lines": [{"phase_code": "16-2000", "cost_type": "SUB", "amount": "12.50"}]}


@dataclass
class Request:
    """One request as a server hands it on: everything raw. `who` is for reading only, the headers say it."""

    method: str
    path: bytes
    query: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    type: str = ""
    body: bytes = b""
    length: str | None = None  # None: that of the body
    who: str = "nobody"

    def environ(self):
        query = urlencode(self.query) if isinstance(self.query, list) else self.query
        made = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path.decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(self.body),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "CONTENT_LENGTH": str(len(self.body)) if self.length is None else self.length,
            "CONTENT_TYPE": self.type,
        }
        if self.headers.get("Transfer-Encoding"):
            del made["CONTENT_LENGTH"]
            made["wsgi.input_terminated"] = True
        return made | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}

    def __str__(self):
        query = urlencode(self.query)[:200] if isinstance(self.query, list) else self.query[:200]
        shown = {name: value[:100] for name, value in self.headers.items() if name != "Cookie"}
        return f"{self.who}: {self.method[:20]} {self.path[:150]!r}?{query} {shown} {self.type[:80]} {self.body[:300]!r}"


class Forge:
    """Makes requests to one route. `links` and `forms` are what pages hold of it: (arguments, query) and (arguments, fields).

    able   the names of those who get furthest there
    """

    def __init__(self, rule, rng, links, forms, able, is_api):
        self.rule, self.rng, self.links, self.forms = rule, rng, links or [({}, [])], forms or [({}, FIELDS)]
        self.able, self.is_api = able, is_api
        self.parts = ARGUMENT.split(rule.rule)  # every second one is the name of an argument

    def safe(self):
        method = self.rng.choices(SAFE, (8, 1, 1))[0]
        arguments, query = self.rng.choice(self.links)
        request = Request(method, self._path(arguments), list(query))
        return self._spoiled(request, (self._id, self._query, self._query, self._header, self._header, self._htmx, self._htmx))

    def unsafe(self):
        ways = [method for method in UNSAFE if method in self.rule.methods]
        method = self.rng.choice(ways) if ways and self.rng.random() < 0.9 else self.rng.choice(catalogue.METHODS[3:])
        arguments, fields = self.rng.choice(self.forms)
        fields = self._filled(fields)
        request = Request(method, self._path(arguments), [], type=catalogue.FORM, body=urlencode(fields).encode())
        if self.is_api:
            request = replace(request, type="application/json", body=json.dumps(self._json()).encode())
        elif self.rng.random() < 0.2:
            request = self._multipart(request, fields)
        return self._spoiled(request, (self._id, self._query, self._header, self._htmx, self._htmx, self._type, self._body, self._cut))

    def _spoiled(self, request, ways):
        for _ in range(self.rng.choice((0, 1, 1, 1, 2, 3))):
            request = self.rng.choice(ways)(request)
        return self._large(request) if self.rng.randrange(LARGE_ONE_IN) == 0 else request

    def _path(self, known, spoil=""):
        """The address, with arguments that a page named, else plausible ones; `spoil` names the one to make odd."""
        path = b""
        for position, part in enumerate(self.parts):
            value = part
            if position % 2:
                value = str(known.get(part) or self.rng.choice(KNOWN.get(part) or range(1, MOST_IDS)))
            if position % 2 and part == spoil:
                value = self.rng.choice(catalogue.VALUES)
            path += value if isinstance(value, bytes) else value.encode()
        return path

    def _filled(self, fields):
        """The fields of a form as typed: some odd, missing, doubled or unheard of."""
        typed = []
        for name, value in fields:
            odd = self.rng.random()
            typed.append((name, self.rng.choice(catalogue.VALUES) if odd < 0.25 else value or ""))
            if odd > 0.97:
                typed.append((name, value or ""))
            elif odd > 0.94:
                typed.pop()
        if self.rng.random() < 0.1:
            typed.append((self.rng.choice(catalogue.NAMES), self.rng.choice(catalogue.VALUES)))
        return typed

    def _json(self):
        """A body of the interface, odd somewhere."""
        body = json.loads(json.dumps(CHANGE if "PUT" in self.rule.methods else {"version": self.rng.randrange(1, 5)}))
        odd = self.rng.choice((*catalogue.VALUES, None, True, -1, 1.5, 10**30, [], {}, [[]]))
        odd = odd.decode("latin-1") if isinstance(odd, bytes) else odd
        place = self.rng.choice(
            ("title", "description", "version", "lines", "phase_code", "amount", "quantity", "cost_type", "none", "extra")
        )
        if place in ("phase_code", "amount", "quantity", "cost_type") and "lines" in body:
            body["lines"][0][place] = odd
        elif place != "none":
            body[place] = odd
        return body

    def _id(self, request):
        names = self.parts[1::2]
        return replace(request, path=self._path({}, self.rng.choice(names)) if names else request.path + b"/")

    def _query(self, request):
        if not isinstance(request.query, list):
            return request
        query, odd = list(request.query), self.rng.choice(catalogue.VALUES)
        if query and self.rng.random() < 0.7:
            position = self.rng.randrange(len(query))
            query[position] = (query[position][0], odd)
        else:
            query.append((self.rng.choice(catalogue.NAMES), odd))
        return replace(
            request, query=self.rng.choice((query, query, query + query, urlencode(query).replace("%", "%25"), "&" * 50 + "%=%"))
        )

    def _header(self, request):
        return replace(request, headers=request.headers | self.rng.choice(catalogue.HEADERS))

    def _htmx(self, request):
        return replace(request, headers=request.headers | {"HX-Request": "true"})

    def _type(self, request):
        return replace(request, type=self.rng.choice(catalogue.TYPES))

    def _body(self, request):
        return replace(request, body=self.rng.choice(catalogue.BODIES))

    def _cut(self, request):
        """Not as long as it says, or without end."""
        if self.rng.random() < 0.3:
            return replace(request, headers=request.headers | {"Transfer-Encoding": "chunked"})
        said = self.rng.choice(("0", "-1", "x", "", "1e3", str(len(request.body) + 10), str(len(request.body) // 2), "9" * 30))
        return replace(request, length=said)

    def _multipart(self, request, fields):
        """The form as parts, perhaps with a file in a text field, a broken head or without its end."""
        edge, body = "edge", b""
        for name, value in fields:
            value = value if isinstance(value, bytes) else str(value).encode()
            file = self.rng.choice(
                ("", "", '; filename="x.csv"', '; filename="../../x"', '; filename="\r\nX: y"', "; filename*=utf-16''%ff")
            )
            body += f'--{edge}\r\nContent-Disposition: form-data; name="{quote(str(name))}"{file}\r\n\r\n'.encode() + value + b"\r\n"
        body += self.rng.choice((b"--edge--\r\n", b"--edge--\r\n", b"--edge--\r\n", b"--edge", b""))
        return replace(request, type=f"multipart/form-data; boundary={edge}", body=body[: self.rng.choice((len(body), len(body), 40))])

    def _large(self, request):
        if request.method in SAFE:
            return replace(request, query=self.rng.choice(("&".join(f"a{n}=1" for n in range(10_000)), f"view={'x' * 1_000_000}")))
        bodies = (b"a=1&" * 240_000, b"title=" + b"x" * 900_000, b"x" * 1_000_001, b"&".join(b"f%d=1" % n for n in range(10_000)))
        return replace(request, type=catalogue.FORM, body=self.rng.choice(bodies))


def learnt(crawls, adapter):
    """What the pages of several people hold of each route: (links, forms) by rule."""
    links, forms = {}, {}
    for crawl in crawls:
        for address in crawl.answers:
            _keep(links, adapter, "GET", address, parse_qsl(urlsplit(address).query))
        for method, address, fields in crawl.forms:
            if method == "POST":
                _keep(forms, adapter, "POST", address, fields)
    return links, forms


def _keep(known, adapter, method, address, values):
    if not adapter.test(urlsplit(address).path, method):
        return
    rule, arguments = adapter.match(urlsplit(address).path, method, return_rule=True)
    entry = (
        {name: str(value) for name, value in arguments.items()},
        [(name, value) for name, value in values if name and name != "csrf_token"],
    )
    if entry not in known.setdefault(rule.rule, []):
        known[rule.rule].append(entry)


def generator(seed, rule, kind):
    """Chance, the same for the same route however many others there are."""
    return random.Random(f"{seed} {rule.endpoint} {kind}")
