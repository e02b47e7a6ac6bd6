"""Talks to a host of this service: `host.py upload | run | route | pages PATH…`. Python's standard library is enough.

On a host the service answers on TARGET and the host's own agent on the port after it, as sshd would on port 22.
"""

import http.client
import io
import json
import os
import sys
import tarfile
import time

WAIT = 45  # seconds; a router may take 30 to see its drained targets idle


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def ask(address, method, path, body=None):
    """The status and the text of one answer; status 0 and the reason where there was none."""
    link = http.client.HTTPConnection(address, timeout=WAIT)
    try:
        link.request(method, path, body)
        answer = link.getresponse()
        return answer.status, answer.read().decode(errors="replace").strip()
    except OSError as error:
        return 0, f"no answer from {address}: {error}"
    except http.client.HTTPException as error:
        return 0, f"no whole answer from {address}: {error!r}"
    finally:
        link.close()


def must(address, method, path, body=None):
    status, text = ask(address, method, path, body)
    if not 200 <= status < 300:
        sys.exit(text or f"{address} answered {status}")
    return text


def agent(target):
    host, port = target.rsplit(":", 1)
    return f"{host}:{int(port) + 1}"


def upload():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add("app")
    body = packed.getvalue()
    say(f"sending app/, {len(body) // 1024} KiB, commit {os.environ['COMMIT'][:7]}")
    say(must(agent(os.environ["TARGET"]), "PUT", f"/releases/{os.environ['COMMIT']}", body))


def run():
    release = {"version": os.environ["VERSION"], "commit": os.environ["COMMIT"]}
    say(must(agent(os.environ["TARGET"]), "PUT", "/run", json.dumps(release)))


def route():
    table = sys.stdin.read()
    if not table.strip():
        sys.exit("the weight table on stdin is empty")
    say(table.rstrip())
    router = must(agent(table.split()[0]), "GET", "/router")
    say(must(router, "PUT", "/-/table", table))


def pages(paths):
    failed = 0
    for path in paths:
        began = time.monotonic()
        status, text = ask(os.environ["TARGET"], "GET", path)
        good = status == 200
        failed += not good
        why = "" if good else "  " + (text or "no text").splitlines()[0]
        took = (time.monotonic() - began) * 1000
        say(f"{'ok  ' if good else 'FAIL'} {path:<10} {status} {took:.0f} ms{why}")
    if failed:
        sys.exit(f"{failed} of {len(paths)} pages failed")


if __name__ == "__main__":
    verbs = {"upload": upload, "run": run, "route": route}
    pages(sys.argv[2:]) if sys.argv[1] == "pages" else verbs[sys.argv[1]]()
