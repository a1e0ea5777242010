"""How log lines look, ours and those of libraries: JSON for machines, columns for people. Secrets are never logged, so nothing is scrubbed.

A line carries what was bound around it: the request with its user, or the lane with its promise, and the change order.
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

COMMON: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment of the line."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def configure(form: str) -> None:
    """`form`: `json` or `console`. Lines go to stderr; time stamps are UTC."""
    renderer: Processor = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*COMMON, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    ours = Stderr()
    ours.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[*COMMON, structlog.stdlib.add_logger_name],
            processors=[ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info, renderer],
        )
    )
    server = logging.getLogger("gunicorn.error")
    server.handlers, server.propagate = [], True
    root = logging.getLogger()
    root.handlers = [*(other for other in root.handlers if not isinstance(other, Stderr)), ours]
