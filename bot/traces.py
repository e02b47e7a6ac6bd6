"""Traces: when a deploy has ended, what the journal says of it goes to an OpenTelemetry collector, by OTLP over HTTP.

The standard variables say where to and how. Without them, or without the extra `otel`, nothing of it is even loaded.
A trace that cannot be sent is lost; the journal is not.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.spans import Span
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Closed
from pipelines.storage.journal import Entry

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
WAITING = 1_000  # deploys whose traces wait to be made
FLUSH_SECONDS = 2.0

Read = Callable[[Deploy], Awaitable[list[Span]]]


def wanted(env: Mapping[str, str]) -> bool:
    off = env.get("OTEL_SDK_DISABLED", "").lower() == "true" or env.get("OTEL_TRACES_EXPORTER") == "none"
    return not off and any(env.get(name) for name in ENDPOINTS)


def tracing(env: Mapping[str, str], read: Read) -> "Traces | None":
    """None where nobody wants traces, or the extra for them is not installed. `read` makes a deploy's spans."""
    if not wanted(env):
        return None
    try:
        return Traces(_provider(env), read)
    except ImportError:
        log.warning("traces are wanted, but what makes them is missing: .venv/bin/pip install -e '.[otel]'")
        return None


def _provider(env: Mapping[str, str]) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = env.get("OTEL_SERVICE_NAME") or "service.name=" in env.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({} if named else {"service.name": "shipmate"})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Traces:
    """Made in the running loop. `note` may be called in any thread."""

    def __init__(self, provider: Any, read: Read) -> None:
        self._provider = provider
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Queue[Deploy] = asyncio.Queue(WAITING)

    def note(self, entry: Entry) -> None:
        """A deploy that has ended will be traced."""
        if isinstance(entry.event, Closed) and entry.deploy is not None:
            self._loop.call_soon_threadsafe(self._put, entry.deploy)

    def _put(self, deploy: Deploy) -> None:
        if self._ended.full():
            log.warning("too many deploys end at once: %s is not traced", deploy.id)
        else:
            self._ended.put_nowait(deploy)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            write(self._provider, await self._read(await self._ended.get()))

    async def stop(self) -> None:
        """Send what waits to be sent, for a short while."""
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, FLUSH_SECONDS)


def write(provider: Any, spans: list[Span]) -> None:
    """The first span is the parent of the others."""
    from opentelemetry.context import Context
    from opentelemetry.trace import Status, StatusCode, set_span_in_context

    tracer, context = provider.get_tracer("shipmate"), Context()
    made = []
    for span in spans:
        start = int(span.start.timestamp() * 1e9)
        one = tracer.start_span(span.name, context=context, start_time=start, attributes=dict(span.facts))
        one.set_status(Status(StatusCode.OK if span.good else StatusCode.ERROR))
        made.append((one, int(span.end.timestamp() * 1e9)))
        context = context or set_span_in_context(one)
    for one, end in made:
        one.end(end)
