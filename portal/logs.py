"""How log lines look: JSON for machines, columns for people. Secrets are never logged, so nothing is scrubbed here."""

import logging
import sys

import structlog


def configure(form: str) -> None:
    """`form`: `json` or `console`. Lines go to stderr; time stamps are UTC."""
    renderer = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
