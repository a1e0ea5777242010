"""Following every link, every part that a page asks for and every form, as far as they lead."""

from collections import deque
from urllib.parse import urljoin, urlsplit

from lxml import html

MOST_OF_ONE = 40  # addresses of one route
FILE = "cco_number,title\n001,Relocate\n"  # what a form for files is filled with


class Crawl:
    """All that one person reaches from the start page by looking: `answers` by address, `forms` as (method, address, fields)."""

    def __init__(self, client, start="/", most=MOST_OF_ONE):
        self.most, self.client, self.adapter = most, client, client.application.url_map.bind("localhost")
        self.answers, self.forms, self.counts = {}, [], {}
        waiting = deque([start])
        while waiting:
            address = waiting.popleft()
            if address in self.answers or not self._wanted(address):
                continue
            answer = self.answers[address] = client.get(address, buffered=True)
            if answer.status_code == 303:
                waiting.append(answer.location.partition("#")[0])
            elif answer.mimetype == "text/html":
                waiting += [found for found in self._read(address, answer.text) if found not in self.answers]

    def _wanted(self, address):
        """Whether the address is ours, and not yet one more of a route of which many were seen."""
        parts = urlsplit(address)
        if parts.netloc not in ("", "localhost") or not self.adapter.test(parts.path, "GET"):
            return False
        endpoint, _ = self.adapter.match(parts.path, "GET")
        self.counts[endpoint] = self.counts.get(endpoint, 0) + 1
        return self.counts[endpoint] <= self.most and endpoint != "static"

    def _read(self, address, text):
        """The addresses that the page names; its forms are kept."""
        page = html.fromstring(text) if text.strip() else html.Element("p")
        found = [*page.xpath("//a/@href"), *page.xpath("//@hx-get")]
        for form in page.xpath("//form"):
            action, files = form.get("action") or address, form.xpath(".//input[@type='file']/@name")
            fields = [*form.form_values(), *((name, FILE) for name in files)]
            buttons = [(one.get("name"), one.get("value") or "") for one in form.xpath(".//button[@name]")]
            self.forms += [(form.method, action, [*fields, button]) for button in buttons] or [(form.method, action, fields)]
            self.forms += [("POST", other, fields) for other in form.xpath(".//@formaction | ./@hx-post | .//@hx-post") if other != action]
        return [urljoin(address, one).partition("#")[0] for one in found]
