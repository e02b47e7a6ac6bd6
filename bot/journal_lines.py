"""The journal in the log: one line an event, with ids, names of people and outcomes.

What was typed, what scripts print and what is said in messages is not in it.
"""

import logging
from typing import Any

from pipelines.domain import events as ev
from pipelines.storage.journal import Entry

log = logging.getLogger("journal")

_IDS = ("ask", "deploy", "step", "attempt", "fence")


def note(entry: Entry) -> None:
    """The line of what was just entered in the journal."""
    log.info(entry.event.kind, extra={"facts": facts(entry)})


def facts(entry: Entry) -> dict[str, Any]:
    """What a line says of an entry: who did what to which room, deploy and step, and how it ended."""
    event = entry.event
    ids = {name: getattr(event, name) for name in _IDS if hasattr(event, name)}
    room = {} if entry.stream == ev.FRONT else {"room": entry.stream}
    return {**ids, **room, "by": entry.by, "via": entry.via, **_more(event), "seq": entry.seq}


def _more(event: ev.Event) -> dict[str, Any]:
    match event:
        case ev.Asked():
            return {"verb": event.command.kind}
        case ev.Refused():
            return {
                "verb": event.command.kind,
                "outcome": "refused",
                "gates": [gate.code for gate in event.refusal.gates],
            }
        case ev.Planned():
            return {"purpose": event.purpose, "commit": event.plan.commit, "retry_of": event.retry_of}
        case ev.StepEnded():
            return {"outcome": event.progress}
        case ev.StepAnswered():
            return {"outcome": event.choice}
        case ev.AbortAsked():
            return {"then": event.then.deploy if event.then else None}
        case ev.Held():
            return {"since": event.since.isoformat()}
        case ev.Closed():
            return {"outcome": event.outcome}
        case _:
            return {}
