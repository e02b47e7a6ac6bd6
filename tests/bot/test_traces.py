"""Traces: off and not even loaded where nobody wants them; where somebody does, a deploy that ended is at the
collector, with the times that the journal has."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.spans import Span
from bot.traces import tracing, wanted
from pipelines.domain.deploy import Deploy
from tests.support.process import ROOT, Bot, until
from tests.support.service import six_steps

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


async def nothing(_deploy: Deploy) -> list[Span]:
    return []


@pytest.mark.parametrize(
    ("env", "is_wanted"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_SERVICE_NAME": "bot"}, False),
    ],
)
def test_the_standard_variables_say_whether_traces_are_wanted(env: dict[str, str], is_wanted: bool) -> None:
    assert wanted(env) is is_wanted


def test_nothing_of_it_is_loaded_where_nobody_wants_it() -> None:
    look = "import bot.app, bot.traces, sys; assert bot.traces.tracing({}, None) is None; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "opentelemetry" not in done.stdout


async def test_a_missing_extra_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter"):
        monkeypatch.setitem(sys.modules, name, None)
    assert tracing(ENDPOINT, nothing) is None
    assert [record.getMessage() for record in caplog.records] == [
        "traces are wanted, but what makes them is missing: .venv/bin/pip install -e '.[otel]'"
    ]


class Collector:
    """A collector that takes OTLP over HTTP and keeps what it was sent."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        kept = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    def resources(self) -> list[Any]:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        return [sent for body in self.bodies for sent in ExportTraceServiceRequest.FromString(body).resource_spans]

    def spans(self) -> list[Any]:
        return [span for sent in self.resources() for scope in sent.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    serving = threading.Thread(target=made.server.serve_forever, daemon=True)
    serving.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_deploy_that_ended_is_at_the_collector(tmp_path: Path, collector: Collector) -> None:
    six_steps(tmp_path, pause=0.05)
    url = f"http://127.0.0.1:{collector.server.server_address[1]}"
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    bot = Bot(data=tmp_path / "data", config=tmp_path / "shipmate.yml", env=env)
    try:
        bot.start()
        assert bot.say("api v1.1 staging because canary-5309", wait=True).status == 0
        until(lambda: len(collector.spans()) == 7, what="seven spans")
    finally:
        bot.kill()
    whole = next(span for span in collector.spans() if not span.parent_span_id)
    steps = sorted((s for s in collector.spans() if s.parent_span_id), key=lambda span: span.start_time_unix_nano)
    assert whole.name == "deploy" and {span.parent_span_id for span in steps} == {whole.span_id}
    assert [span.name for span in steps] == [
        "before",
        "install on stg-1",
        "check on stg-1",
        "install on stg-2",
        "check on stg-2",
        "after",
    ]
    assert all(span.end_time_unix_nano - span.start_time_unix_nano > 4 * 0.05e9 for span in steps)  # as long as it ran
    assert whole.start_time_unix_nano <= steps[0].start_time_unix_nano
    assert steps[-1].end_time_unix_nano <= whole.end_time_unix_nano
    facts = {fact.key: fact.value.string_value for sent in collector.resources() for fact in sent.resource.attributes}
    assert facts["service.name"] == "shipmate"
    assert not any(b"canary" in body for body in collector.bodies)
