"""The provider as a process, somebody who signs in there, and somebody who stands between it and the portal."""

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

import portal.openid
from tests.oidc import site
from tests.people import filled_in
from tests.ports import free_port
from tests.processes import PATIENCE_S, Process, running

CAST: dict[str, dict[str, Any]] = {
    "ana": {"email": "ana@example.test", "email_verified": True, "name": "Ana Ortiz", "groups": ["finance"]},
    "nia": {"email": "nia@example.test", "email_verified": True, "name": "Nia Brandt", "groups": []},
    "max": {"email": "max@example.test", "email_verified": False, "name": "Max Weir", "groups": []},
    "eve": {"email": "eve@example.test", "email_verified": True, "name": "Eve Laurent", "groups": ["portal-admins"]},
}


class Provider(Process):
    """A real OpenID provider; `issuer` goes into OIDC_ISSUER."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        command = [sys.executable, "-m", "tests.oidc.site", "--port", str(self.port), "--folder", str(folder)]
        super().__init__(command, folder / "provider.log")

    def ready(self) -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return bool(requests.get(f"{self.issuer}/.well-known/openid-configuration", timeout=PATIENCE_S).ok)
        return False

    @property
    def key(self) -> str:
        return site.key(self.folder)

    def say(self, who: str, /, **claims: Any) -> None:
        """From now on the provider says this of the person too."""
        self.directory |= {who: self.directory.get(who, {}) | claims}
        site.people(self.folder, **self.directory)

    def begin(self) -> None:
        self.directory = json.loads(json.dumps(CAST))
        site.people(self.folder, **self.directory)


class Visitor:
    """A browser at the provider, without JavaScript, that stops where the provider leads back to the portal."""

    def __init__(self) -> None:
        self.browser = requests.Session()
        self.browser.trust_env = False

    def answer(self, url: str, name: str, button: str = "Allow") -> str:
        """Sign in there if asked to, and press the button; answers the address that leads back."""
        page = self.browser.get(url, timeout=PATIENCE_S)
        assert page.status_code == 200, page.text[:2000]
        if "/sign-in" in page.url:
            page = self._press(page, "Sign in", username=name, password=site.PASSWORD)
        answer = self._press(page, button, follow=False)
        assert answer.status_code == 302, answer.text[:2000]
        return answer.headers["Location"]

    def _press(self, page: requests.Response, button: str, follow: bool = True, **fields: str) -> requests.Response:
        found = next(b for b in BeautifulSoup(page.text, "html.parser").find_all("button") if b.get_text() == button)
        data = dict(filled_in(found.find_parent("form"))) | fields
        if found.get("name"):
            data[found["name"]] = found["value"]
        return self.browser.post(page.url, data=data, headers={"Referer": page.url}, timeout=PATIENCE_S, allow_redirects=follow)


class Meddler:
    """Stands between the portal and the provider, and changes what it is told to.

    token     what becomes of the answer of the token endpoint
    instead   answers of its own: status and body by path
    asked     the paths that were asked for
    """

    def __init__(self, provider: Provider) -> None:
        self.provider, self.port = provider, free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        self.token: Callable[[dict[str, Any]], Any] = lambda answer: answer
        self.instead: dict[str, tuple[int, str]] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        return self._response(request)(environ, start_response)

    def _response(self, request: Request) -> Response:
        if request.path in self.instead:
            status, body = self.instead[request.path]
            return Response(body, status, self.headers, mimetype="application/json")
        url = f"http://127.0.0.1:{self.provider.port}{request.full_path}"  # the Host stays, and with it the issuer
        headers = {name: value for name, value in request.headers if name != "Content-Length"}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                request.method, url, headers=headers, data=request.get_data(), timeout=PATIENCE_S, allow_redirects=False
            )
        body = json.dumps(self.token(answer.json())) if request.path == "/o/token/" and answer.ok else answer.content
        kept = [(name, value) for name, value in answer.raw.headers.items() if name.lower() in ("content-type", "location", "set-cookie")]
        return Response(body, answer.status_code, kept)


@pytest.fixture(scope="session")
def provider_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running(Provider(tmp_path_factory.mktemp("provider"))) as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The provider with its directory as it is at first. It may take its time: how busy this machine is means nothing."""
    monkeypatch.setattr(portal.openid, "ANSWER_WITHIN_S", PATIENCE_S)
    provider_process.begin()
    return provider_process


@pytest.fixture
def meddler(provider: Provider) -> Iterator[Meddler]:
    """Between portal and provider; both sides see its address as the issuer."""
    meddler = Meddler(provider)
    server = make_server("127.0.0.1", meddler.port, meddler, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield meddler
    server.shutdown()
    thread.join()
    server.server_close()
