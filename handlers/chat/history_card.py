"""What happened, as cards: the newest deploys of a room or service, and the ways back from the newest of all."""

from datetime import datetime

from handlers.chat import clicks
from handlers.chat.card import Card, plain_text
from handlers.chat.times import between, clock
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome, Purpose
from pipelines.domain.views import HistoryView, RecentView, WayBack

NO_WAY_BACK = "There is nothing to roll back: no deploy of which another version ended well before."


def history_card(view: HistoryView, now: datetime) -> Card:
    where = f" in {view.environment}" if view.environment else ""
    title = f"What happened to {view.service}{where}"
    lines = [history_line(deploy, now, room=view.environment is None) for deploy in view.deploys]
    if view.more:
        lines.append(f"and more before these {len(view.deploys)}")
    lines = lines or ["Nothing was deployed here yet."]
    return Card(title=title, text=plain_text(f"{title}: {lines[0]}"), lines=tuple(lines))


def history_line(deploy: Deploy, now: datetime, *, room: bool) -> str:
    plan = deploy.plan
    where = f" → {plan.environment}" if room else ""
    back = " (a rollback)" if deploy.purpose is Purpose.ROLLBACK else ""
    because = f" because {deploy.because}" if deploy.because else ""
    return f"{clock(deploy.at, now)}  {plan.version}{where} by {deploy.by.name}{back}{because}: {_ending(deploy, now)}"


def _ending(deploy: Deploy, now: datetime) -> str:
    match deploy.outcome:
        case None:
            return f"⏳ running for {between(deploy.at, now)}"
        case Outcome.LIVE if deploy.superseded is not None and deploy.ended is not None:
            then = "deployed again" if deploy.superseded_by == deploy.plan.version else f"then {deploy.superseded_by}"
            return f"✅ live for {between(deploy.ended, deploy.superseded.at)}, {then}"
        case Outcome.LIVE:
            return f"✅ live since {clock(deploy.ended or deploy.at, now)}"
        case Outcome.FAILED:
            return f"❌ failed: {deploy.why}"
        case Outcome.ABORTED:
            because = f" because {deploy.abort.because}" if deploy.abort and deploy.abort.because else ""
            return f"⏹ {deploy.why}{because}"


def recent_card(view: RecentView, now: datetime) -> Card:
    title = "Which one?" if view.ways else NO_WAY_BACK
    lines = tuple(_way_line(way, now) for way in view.ways)
    return Card(
        title=title,
        text=plain_text("; ".join(lines) or title),
        lines=lines,
        buttons=tuple(clicks.roll_back_to(way.deploy, way.to, where=f" · {_room(way)}") for way in view.ways),
    )


def _room(way: WayBack) -> str:
    return f"{way.deploy.plan.service} {way.deploy.plan.environment}"


def _way_line(way: WayBack, now: datetime) -> str:
    line = history_line(way.deploy, now, room=True)
    return f"{way.deploy.plan.service}: {line} — the way back is {way.to.version}"
