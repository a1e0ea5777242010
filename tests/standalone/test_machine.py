"""What `portal up` asks of the machine before it starts anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.standalone import machine


class Kernel:
    """Stands for sockets: names the same free port twice before it names another one."""

    names: Iterator[int] = iter(())

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def bind(self, _: object) -> None:
        self.port = next(Kernel.names)

    def getsockname(self) -> tuple[str, int]:
        return machine.HOST, self.port


def test_no_two_helpers_are_given_the_same_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Kernel.names = iter([5001, 5001, 5002, 5002, 5001, 5003])
    monkeypatch.setattr(machine.socket, "socket", Kernel)

    assert machine.ports(tmp_path) == {"simulator": 5001, "smtp": 5002, "mail": 5003}
