"""Output as people read it: the last lines for the thread, all of it for the file. Pure."""

from collections.abc import Iterator

from handlers.chat import thread
from handlers.slack import limits
from pipelines.domain.deploy import BAD, Deploy
from pipelines.domain.events import Outcome
from pipelines.shipmate import Piece


def tail(deploy: Deploy, pieces: list[Piece]) -> tuple[str, str]:
    """A title and the last lines: of the step that failed, where one did, else of whatever printed last."""
    if not pieces:
        return "", ""
    failed = _failed(deploy)
    of_failed = [piece for piece in pieces if piece.key.step == failed]
    shown = of_failed or pieces
    text = thread.tail(_text(shown))
    if not text.strip():
        return "", ""
    label = _label(deploy, shown[-1].key.step)
    return f"The last lines of {label}" if of_failed else f"Output: {label}", text


def log_file(deploy: Deploy, pieces: list[Piece]) -> Iterator[bytes]:
    """All the output, step by step, with a line where something was cut."""
    plan = deploy.plan
    yield f"{plan.service} {plan.version} to {plan.environment}, {deploy.id}\n".encode()
    if sum(len(piece.data) for piece in pieces) >= limits.LOG_BYTES:
        yield b"(only the last part is here)\n"
    for key in dict.fromkeys(piece.key for piece in pieces):
        again = f", attempt {key.attempt}" if key.attempt > 1 else ""
        yield f"\n== {_label(deploy, key.step)}{again}\n".encode()
        end: int | None = None
        for piece in sorted((one for one in pieces if one.key == key), key=lambda one: one.offset):
            if end is not None and piece.offset > end:
                yield f"\n(… {piece.offset - end} bytes were cut here …)\n".encode()
            yield piece.data
            end = piece.offset + len(piece.data)
        yield b"\n"


def log_name(deploy: Deploy) -> str:
    plan = deploy.plan
    safe = "".join(c if c.isalnum() or c in "-." else "-" for c in f"{plan.service}-{plan.version}-{plan.environment}")
    return f"{safe}-{deploy.id[-6:]}.log"


def _failed(deploy: Deploy) -> str | None:
    if deploy.outcome is not Outcome.FAILED:
        return None
    return next((s.id for s in deploy.plan.steps if (r := deploy.runs.get(s.id)) and r.progress in BAD), None)


def _label(deploy: Deploy, step: str) -> str:
    try:
        return deploy.step(step).label
    except KeyError:
        return step


def _text(pieces: list[Piece]) -> str:
    """The pieces in the order in which they came; what two steps print at a time is not run together."""
    parts: list[bytes] = []
    before = None
    for piece in pieces:
        if before is not None and piece.key != before and parts and not parts[-1].endswith(b"\n"):
            parts.append(b"\n")
        parts.append(piece.data)
        before = piece.key
    return b"".join(parts).decode(errors="replace")
