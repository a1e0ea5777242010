"""The real simulator as a process of its own, for tests of anything that talks to Spectrum."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from portal import secret_path

START_S = 20


class SimulatorProcess:
    """`portal simulator --controls` on a free port; the ledger is in `data` and survives `restart()`."""

    def __init__(self, data: Path, master: Path | None = None, arguments: Sequence[str] = (), certificate: str = "") -> None:
        self.data = data
        self.arguments = [*arguments, *(["--certificate", certificate] if certificate else [])]
        self.certificate = certificate
        self.master = master
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}/{self.word}"

    @property
    def word(self) -> str:
        return secret_path.word(self.data)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        command = [sys.executable, "-m", "portal.cli", "simulator", "--controls", "--port", str(self.port), "--data", str(self.data)]
        if self.master:
            command += ["--master", str(self.master)]
        self._process = subprocess.Popen([*command, *self.arguments], stderr=subprocess.PIPE, text=True)
        self.port = self._announced()

    def stop(self) -> int:
        """End it politely; returns its exit status."""
        assert self._process
        assert self._process.stderr
        self._process.terminate()
        status = self._process.wait(10)
        self._process.stderr.close()
        return status

    def kill(self) -> None:
        assert self._process
        assert self._process.stderr
        self._process.kill()
        self._process.wait(10)
        self._process.stderr.close()

    def restart(self) -> None:
        """Stop and start on the same port and ledger; faults are forgotten."""
        self.stop()
        self.start()

    def start_over(self) -> None:
        """Empty its books, forget its faults, and start it if a test ended it."""
        assert self._process
        if self._process.poll() is not None:
            self.start()
        self._ask("DELETE", "ledger")

    def ledger(self) -> list[dict[str, Any]]:
        """The change requests, each with its `lines`, under Spectrum's element names."""
        return self._state()["change_requests"]

    def journal(self, method: str = "ARChangeRequest") -> list[dict[str, Any]]:
        """The calls of `method` in the order they came."""
        return [call for call in self._state()["journal"] if call["method"] == method]

    def fail(self, fault: str, method: str = "ARChangeRequest", **settings: Any) -> None:
        """Set a fault, e.g. `fail("commit_then_reset", nth=2)`; see portal/spectrum/simulator/faults.py."""
        self.control("faults", [{"fault": fault, "method": method, **settings}])

    def heal(self) -> None:
        self._ask("DELETE", "faults")

    def authorize(self, authorization_id: str, active: bool) -> None:
        self.control("authorization", {"id": authorization_id, "active": active})

    def options(self, **options: Any) -> None:
        """Switches; see portal/spectrum/simulator/world.py."""
        self.control("options", options)

    def control(self, what: str, wanted: Any) -> Any:
        """POST /__sim/<what>."""
        return self._ask("POST", what, wanted)

    def _ask(self, method: str, what: str, wanted: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/__sim/{what}", json=wanted, timeout=10, verify=self.certificate or True)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._ask("GET", "ledger")
        return state

    def _announced(self) -> int:
        """The port, once it listens: it says so in its first line."""
        assert self._process
        assert self._process.stderr
        line = self._process.stderr.readline()
        found = re.search(r"https?://127\.0\.0\.1:(\d+)", line)
        assert found, f"the simulator did not start: {line}{self._process.stderr.read()}"
        return int(found[1])


def write_master(path: Path, **changes: Any) -> Path:
    """A small company ABC for tests, as a file. `changes` replaces whole sections."""
    path.write_text(json.dumps({**MASTER, **changes}))
    return path


SERVICES = ["ARChangeRequest", "WSTestConnection", "GetJob", "GetPhase", "GetCustomers", "ChgReqChgOrderNotes"]
MASTER: dict[str, Any] = {
    "authorization_ids": [
        {"id": "PORTALTEST", "active": True, "companies": ["ABC"], "services": SERVICES},
        {"id": "RETIRED", "active": False, "companies": ["ABC"], "services": SERVICES},
        {"id": "ONLYJOBS", "active": True, "companies": ["ABC"], "services": ["GetJob"]},
        {"id": "OTHERFIRM", "active": True, "companies": ["XYZ"], "services": SERVICES},
        {"id": "SECOND", "active": True, "companies": ["ABC", "ZZZ"], "services": SERVICES},
    ],
    "companies": [
        {"code": "ABC", "name": "Test Builders", "ar_period": ["01/01/2000", "12/31/2099"], "ap_period": ["01/01/2026", "06/30/2026"]}
    ],  # what is exported in tests is of today, whenever that is
    "statuses": [
        {"company": "ABC", "code": "CR", "action_type": 3},
        {"company": "ABC", "code": "AP", "action_type": 1},
    ],
    "customers": [
        {"company": "ABC", "code": "NORTHSIDE", "name": "Northside Schools"},
        {"company": "ABC", "code": "LAKEVIEW", "name": "Lakeview Clinic"},
    ],
    "jobs": [
        {"company": "ABC", "number": "24-117", "customer": "NORTHSIDE", "contract": "24-117", "status": "A"},
        {"company": "ABC", "number": "24-118", "customer": "NORTHSIDE", "contract": "", "status": "A"},
        {"company": "ABC", "number": "23-001", "customer": "LAKEVIEW", "contract": "23-001", "status": "C", "disallow_revenue": True},
    ],
    "phases": [
        {"company": "ABC", "job": "24-117", "phase": "16-2000", "cost_type": "SUB", "description": "Duct bank", "unit": "LS"},
        {"company": "ABC", "job": "24-117", "phase": "033000", "cost_type": "SUB", "status": "A"},
        {"company": "ABC", "job": "24-117", "phase": "010000", "cost_type": "SUB", "status": "C"},
        {"company": "ABC", "job": "24-118", "phase": "162000", "cost_type": "SUB", "status": "A"},
        {"company": "ABC", "job": "23-001", "phase": "162000", "cost_type": "SUB", "status": "A"},
    ],
    "vendors": [
        {"company": "ABC", "code": "VOLTCO", "name": "Volt Electric", "active": True},
        {"company": "ABC", "code": "GONE", "name": "Gone Concrete", "active": False},
    ],
    "subcontracts": [
        {"company": "ABC", "number": "SC-014", "vendor": "VOLTCO", "job": "24-117"},
        {"company": "ABC", "number": "SC-UNIT", "vendor": "VOLTCO", "job": "24-117", "unit_price": True, "bid_items": ["7", "8"]},
        {"company": "ABC", "number": "SC-118", "vendor": "VOLTCO", "job": "24-118"},
        {"company": "ABC", "number": "SC-OLD", "vendor": "VOLTCO", "job": "23-001"},
    ],
    "sub_change_orders": [{"company": "ABC", "job": "24-117", "number": "12"}],
}
