"""A mail server for rehearsals: keeps every mail it takes, as the catcher does, and fails as a file tells it to.

`MODE_FILE` of its folder holds one word: accept, 4xx, 5xx, hang (before its greeting), or die (the mail is kept, the
sender never hears so).
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP

from portal.standalone.mail_catcher import HOST, Mailbox

MODE_FILE = "sink.mode"
MODES = ("accept", "4xx", "5xx", "hang", "die")
HANG_S = 600


class Sink:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self.mailbox, self.mode_file = Mailbox(folder), folder / MODE_FILE

    @property
    def mode(self) -> str:
        return self.mode_file.read_text().strip() if self.mode_file.exists() else "accept"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        mode = self.mode
        if mode == "4xx":
            return "451 Try again later"
        if mode == "5xx":
            return "550 No such person"
        self.mailbox.add(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content)
        if mode == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return "250 Kept"


class Server(SMTP):
    async def _handle_client(self) -> None:
        if self.event_handler.mode == "hang":
            await asyncio.sleep(HANG_S)
        await super()._handle_client()


class Door(UnthreadedController):
    def factory(self) -> SMTP:
        return Server(self.handler, **self.SMTP_kwargs)


def serve(port: int, folder: Path) -> None:
    """Until the process is ended."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    Door(Sink(folder), hostname=HOST, port=port, loop=loop, decode_data=False).begin()
    loop.run_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
