"""What is live where, as a card."""

from datetime import datetime

from handlers.chat.asking import asked
from handlers.chat.card import Card, plain_text
from handlers.chat.deploy_card import TRAFFIC
from handlers.chat.times import between, clock
from pipelines.domain.room import TargetState
from pipelines.domain.views import RoomView, StatusView

NOTHING = "There is no service yet. Add one to the configuration, under `services:`."
ROOMS_SHOWN = 40


def status_card(view: StatusView, now: datetime) -> Card:
    views = view.rooms
    lines = [line for room in views[:ROOMS_SHOWN] for line in room_lines(room, now)]
    if len(views) > ROOMS_SHOWN:
        lines.append(f"and {len(views) - ROOMS_SHOWN} more: name a service")
    title = "What is live" if views else NOTHING
    return Card(
        title=title, text=plain_text("; ".join(lines) or title), lines=tuple(lines), notes=_notes(view.problems)
    )


def _notes(problems: tuple[str, ...]) -> tuple[str, ...]:
    if not problems:
        return ()
    count = "It has a problem" if len(problems) == 1 else f"It has {len(problems)} problems, the first"
    return (f"The configuration file cannot be used, so the one read before it holds. {count}: {problems[0]}",)


def room_lines(view: RoomView, now: datetime) -> list[str]:
    head = f"{view.service} in {view.environment}: {_runs(view, now)}"
    if view.running is not None:
        running = view.running
        state = "waits for an answer" if running.waits() else "is on its way"
        head += f" · {running.plan.version} {state}, by {running.by.name}, for {between(running.at, now)}"
        head += f", but stands still: Shipmate itself broke (error {running.stumbled})" if running.stumbled else ""
    question = asked(view.running) if view.running is not None else None
    if not view.configured:
        head += " · not in the configuration any more"
    lines = [head]
    if question is not None:
        lines.append("    answer: " + ", ".join(f"`/deploy {button.say}`" for button in question.buttons))
    out = any(state.traffic in TRAFFIC for state in view.targets.values())
    if out or (view.live is None and any(state.version for state in view.targets.values())):
        lines += [f"    {name}: {_target(state)}" for name, state in view.targets.items()]
    return lines


def _runs(view: RoomView, now: datetime) -> str:
    if view.live is not None:
        by = f" by {view.by}" if view.by else ""
        since = f" since {clock(view.live.since, now)}" if view.live.since else ""
        return f"{view.live.version}{since}{by}"
    if any(state.version for state in view.targets.values()):
        return "mixed"
    touched = view.running is not None or any(state != TargetState() for state in view.targets.values())
    return "nobody knows" if touched else "nobody knows; nothing was deployed here yet"


def _target(state: TargetState) -> str:
    version = state.version or "nobody knows"
    return version + TRAFFIC.get(state.traffic, "")
