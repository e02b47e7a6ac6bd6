"""Who may deploy a service, and who does, as a card."""

from datetime import datetime

from handlers.chat.card import Card, plain_text
from handlers.chat.times import between, clock
from pipelines.domain.views import Allowed, ServiceWho, WhoView

DEPLOYERS_SHOWN = 8
SERVICES_SHOWN = 20


def who_card(view: WhoView, now: datetime) -> Card:
    shown = view.services[:SERVICES_SHOWN]
    lines = [line for one in shown for line in _service(one, now)]
    if len(view.services) > len(shown):
        lines.append(f"and {len(view.services) - len(shown)} more: name a service")
    title = "Who may deploy, and who does"
    return Card(title=title, text=plain_text(f"{title}: {'; '.join(lines)}"), lines=tuple(lines))


def _service(who: ServiceWho, now: datetime) -> list[str]:
    lines = [f"{who.service} → {one.environment}: {_may(one)}{_running(one, now)}" for one in who.allowed]
    people = [f"{one.name} ({one.deploys}, last {clock(one.last, now)})" for one in who.lately[:DEPLOYERS_SHOWN]]
    return [*lines, f"    lately by {', '.join(people)}" if people else "    nobody deployed it yet"]


def _may(allowed: Allowed) -> str:
    if allowed.who is None:
        return "any full member"
    return ", ".join(_entry(one, allowed) for one in allowed.who) or "nobody yet (set `owners:` or `deployers:`)"


def _entry(name: str, allowed: Allowed) -> str:
    if name not in allowed.groups:
        return name
    members = allowed.groups[name]
    return f"{name} ({', '.join(members)})" if members is not None else f"{name} (nobody can tell who that is now)"


def _running(allowed: Allowed, now: datetime) -> str:
    deploy = allowed.running
    if deploy is None:
        return ""
    return f" · {deploy.plan.version} is on its way, by {deploy.by.name}, for {between(deploy.at, now)}"
