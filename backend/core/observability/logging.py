"""Structured logging: ids only, one line per event, the request id on every line."""

import logging
import sys
from collections.abc import Mapping
from typing import Final

import structlog

from backend.core.observability import security_log
from backend.settings import VERSION, Settings

_process: Final = {"service": "doorstep-command", "host": "", "version": VERSION}


def name_process(kind: str) -> None:
    """Set the kind of this process, such as web or worker, which names the service on JSON lines."""
    _process["service"] = f"doorstep-{kind}"


def process_fields() -> Mapping[str, str]:
    """Return service, host and version, which are on every JSON line."""
    return dict(_process)


def _add_process(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.update(_process)
    return event


def configure(settings: Settings) -> None:
    """Configure structlog and the standard library's logging for this process."""
    _process["host"] = settings.machine_name
    is_json = settings.log_format == "json"
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *([_add_process] if is_json else []),  # text is read on the machine itself, in a file for each process
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    logging.getLogger(security_log.LOGGER).setLevel(logging.INFO)  # logged at any log level
