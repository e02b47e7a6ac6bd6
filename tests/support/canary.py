"""A service whose scripts print the secrets they get, in every form they can; and the search for what got out."""

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

from pipelines.execution.encoders import forms
from tests.support.service import Service

API_KEY = 'Ca-na/ry+O\'ne="9f3b"~x'
CERT = "-----BEGIN CANARY-----\nQ2FuYXJ5IG9uZSBvZiB0d28K\nc2Vjb25kIGxpbmUgb2YgaXQK\n-----END CANARY-----\n"
PASSED = "passed-canary-71c4"
CANARIES = (API_KEY, CERT, PASSED)

PRINT = r"""#!/usr/bin/env python3
import base64, html, json, os, shlex, sys, time
from urllib.parse import quote, quote_plus
for name in ("API_KEY", "CERT", "PASSED"):
    value = os.environ[name]
    data = value.encode()
    for form in (value, base64.b64encode(data).decode(), base64.encodebytes(data).decode(), data.hex(), quote(value),
                 quote_plus(value), json.dumps({"k": value}), json.dumps(json.dumps(value)), shlex.quote(value),
                 html.escape(value), repr(value), base64.b64encode(b"u:" + data).decode(),
                 base64.urlsafe_b64encode(base64.b64encode(data)).decode(), "\0".join(value), "\u200b".join(value),
                 value.replace("a", "\x1b[01;31m\x1b[Ka\x1b[m\x1b[K")):  # as grep shows what it found
        print(name, form, flush=True)
    for at in range(0, len(value), 5):  # one value in many pieces
        sys.stdout.write(value[at : at + 5])
        sys.stdout.flush()
        time.sleep(0.002)
    print(file=sys.stderr)
    os.makedirs(os.path.expanduser("~/.config"), exist_ok=True)
    for folder in (os.path.expanduser("~/.config"), os.environ["TMPDIR"]):
        with open(os.path.join(folder, name), "w") as file:
            file.write(value)
"""
INSTALL = """#!/bin/bash
set -e
"$PWD/deploy/print.sh"
{how}
mkdir -p "{world}/targets"
echo "$VERSION" > "{world}/targets/$TARGET"
"""
RECIPE = """before: [deploy/before.sh]
deploy: deploy/install.sh
status: http://127.0.0.1:{port}/version/$TARGET?token=$API_KEY
check:
  - http: http://127.0.0.1:{port}/healthz?token=${{API_KEY}}
    retries: 0
  - run: deploy/print.sh
secrets: [API_KEY, CERT]
"""
WAIT = 'for i in $(seq 600); do [ -e "{world}/go" ] && break; sleep 0.05; done; echo "old: $API_KEY."'
VERSIONS = {
    "v1.0": ("", "", RECIPE),
    "v1.1": ("", "", RECIPE),
    "v2.0": ('rm "{world}/secrets/staging/API_KEY"', "", RECIPE),  # gone between the plan and the start
    "v3.0": ("", WAIT, RECIPE),
    "v4.0": ("", "", RECIPE.replace("/healthz", "/sick/$API_KEY")),
}


@dataclass
class Canary:
    """`secrets` is where the files are; `asked` are the tokens that the service was asked with."""

    folder: Path
    service: Service
    asked: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets" / "staging"

    def put(self, **values: str) -> None:
        self.secrets.mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            (self.secrets / name).write_text(value)

    def answer(self, path: str) -> tuple[int, str]:
        """What the service itself answers; its /version repeats the token, as services do."""
        where, _, token = unquote(path).partition("?token=")
        self.asked.append(token)
        if token not in (API_KEY, "another-canary-5e1d"):
            return 403, "no"
        if where.startswith("/sick"):
            return 500, token
        target = self.folder / "targets" / where.rpartition("/")[2]
        return 200, f"{target.read_text().strip() if target.exists() else 'nothing'} for {token} at {path}\n"


@contextmanager
def canary(folder: Path) -> Iterator[Canary]:
    service = Service(folder=folder, channel="#deploys", targets=("stg-1",))
    there = Canary(folder=folder, service=service)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = there.answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        _versions(service, server.server_address[1])
        try:
            yield there
        finally:
            server.shutdown()
            thread.join()


def _versions(service: Service, port: int) -> None:
    for tag, (before, how, recipe) in VERSIONS.items():
        files = {
            "deploy.yml": recipe.format(port=port),
            "deploy/before.sh": f"#!/bin/bash\n{before}\necho before\n",
            "deploy/install.sh": INSTALL.replace("{how}", how),
            "deploy/print.sh": PRINT,
        }
        service.commit({name: text.replace("{world}", str(service.folder)) for name, text in files.items()}, tag=tag)
    where = {"secrets_from": f"file://{service.folder}/secrets/{{environment}}/{{name}}", "pass_env": ["PASSED"]}
    service.configure(staging=where, bare={})


def leaks(folder: Path, *texts: str) -> list[str]:
    """Where a canary, or a form of one, is: in a file of the folder, in the database's output, in one of the texts.
    The secrets' own files do not count."""
    needles = forms(CANARIES)
    found = [str(path.relative_to(folder)) for path in _files(folder) if _holds(path.read_bytes(), needles)]
    found += [f"output {at}" for at, data in enumerate(_outputs(folder)) if _holds(data, needles)]
    return found + [f"text {at}: {text[:200]}" for at, text in enumerate(texts) if _holds(text.encode(), needles)]


def _holds(data: bytes, needles: frozenset[bytes]) -> bool:
    return any(needle in data for needle in needles)


def _files(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        for path in (Path(where) / name for name in names):
            if path.is_file() and not path.is_relative_to(folder / "secrets"):
                yield path


def _outputs(folder: Path) -> list[bytes]:
    """All output that is kept, each step's in one piece."""
    with closing(sqlite3.connect(f"file:{folder}/data/shipmate.db?mode=ro", uri=True)) as database:
        rows = database.execute(
            'SELECT deploy, step, attempt, data FROM output ORDER BY deploy, step, attempt, "offset"'
        )
        steps: dict[str, bytes] = {}
        for deploy, step, attempt, data in rows:
            key = json.dumps([deploy, step, attempt])
            steps[key] = steps.get(key, b"") + zlib.decompress(data)
    return list(steps.values())
