"""Buttons: what a label asks, packed into a button's value, and unpacked into the command that a click becomes."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handlers.chat.card import Button, Confirm, Style
from pipelines.domain.commands import SAID, Abort, Answer, Choice, Command, Deploy, Pin, Retry, Rollback
from pipelines.domain.commands import Button as Source
from pipelines.domain.deploy import Deploy as DeployState

VALUE_LIMIT = 2_000


@dataclass(frozen=True, kw_only=True)
class LogWanted:
    """The Log button: show where a deploy's output is."""

    deploy: str


@dataclass(frozen=True, kw_only=True)
class ChooseWanted:
    """The Choose button: open the form, for a service that was named or for any."""

    service: str | None


class UnreadableClickError(Exception):
    """A button that this version did not make. Nothing is done."""


def pack(**facts: Any) -> str:
    value = json.dumps({k: v for k, v in facts.items() if v is not None}, separators=(",", ":"))
    assert len(value) <= VALUE_LIMIT
    return value


def _room(deploy: DeployState) -> dict[str, str]:
    return {"s": deploy.plan.service, "e": deploy.plan.environment, "d": deploy.id}


def _confirm(deploy: DeployState, title: str, text: str, yes: str) -> Confirm | None:
    """Destructive buttons ask once more in protected environments, nowhere else."""
    return Confirm(title=title, text=text, yes=yes) if deploy.plan.protected else None


def abort(deploy: DeployState) -> Button:
    plan = deploy.plan
    return Button(
        label="Abort",
        action="abort",
        value=pack(**_room(deploy)),
        say=f"abort {plan.service} {plan.environment}",
        style=Style.DANGER,
        confirm=_confirm(
            deploy, "Abort?", f"The deploy of {plan.service} {plan.version} to {plan.environment} is ended.", "Abort"
        ),
    )


def roll_back(deploy: DeployState) -> Button | None:
    """Roll back to the version that is pinned now; while a deploy runs, it is ended first."""
    return roll_back_to(deploy, deploy.rollback) if deploy.rollback is not None else None


def retry(deploy: DeployState) -> Button:
    plan = deploy.plan
    return Button(
        label="Retry", action="retry", value=pack(**_room(deploy)), say=f"retry {plan.service} {plan.environment}"
    )


def deploy_again(deploy: DeployState) -> Button | None:
    """After a rollback: the version that it left, at the very commit."""
    left, plan = deploy.replaces, deploy.plan
    if left is None or left.commit == plan.commit:
        return None
    return Button(
        label=f"Deploy {left.version} again",
        action="deploy_again",
        value=pack(**_room(deploy), v=left.version, c=left.commit),
        say=f"deploy {plan.service} {left.version} {plan.environment}",
    )


def log(deploy: DeployState) -> Button:
    return Button(label="Log", action="log", value=pack(**_room(deploy)), say="")


def answer(deploy: DeployState, choice: Choice, step: str, attempt: int) -> Button:
    """Answers for this attempt of a step and for no other one."""
    plan = deploy.plan
    return Button(
        label=SAID[choice].capitalize(),
        action=f"{choice}_{step}_{attempt}",
        value=pack(**_room(deploy), a=choice, t=step, n=attempt),
        say=f"{SAID[choice]} {plan.service} {plan.environment}",
    )


def go_on(deploy: DeployState, since: datetime) -> Button:
    """What could have been started at `since` shall be started now; this question alone is answered."""
    plan = deploy.plan
    return Button(
        label="Go on",
        action=f"go_on_{since:%Y%m%d%H%M%S%f}",
        value=pack(**_room(deploy), a="go_on", q=since.isoformat()),
        say=f"go on {plan.service} {plan.environment}",
        style=Style.PRIMARY,
    )


def say(label: str, line: str, *, action: str = "say", protected: bool = False) -> Button:
    """A button that says a line, as if it had been typed; for a protected environment it asks once more."""
    style = Style.DANGER if "oll back" in label or label.startswith("Abort") else Style.PLAIN
    confirm = Confirm(title=f"{label}?"[:100], text=f"/deploy {line}"[:300], yes="Yes, do it") if protected else None
    return Button(label=label, action=action, value=pack(say=line), say=line, style=style, confirm=confirm)


def choose(service: str | None) -> Button:
    """Opens the form in which service, version and environment are chosen."""
    return Button(label="Choose…", action="choose", value=pack(choose=service or ""), say="")


def roll_back_to(deploy: DeployState, pin: Pin, *, where: str = "") -> Button:
    """Back from a deploy to what `pin` says; one that runs is ended first. `where` stands behind the label."""
    plan, running = deploy.plan, deploy.outcome is None
    text = f"{plan.service} in {plan.environment} goes from {plan.version} back to {pin.version}."
    exactly = "" if deploy.rollback == pin else f" to {pin.version}"
    return Button(
        label=f"Roll back to {pin.version}{where}",
        action="rollback",
        value=pack(**_room(deploy), v=pin.version, c=pin.commit, u=pin.until, now=1 if running else None),
        say=f"rollback {plan.service} {plan.environment}{exactly}{' now' if running else ''}",
        style=Style.DANGER,
        confirm=_confirm(deploy, f"Roll back to {pin.version}?", text, "Roll back"),
    )


def command_of(action: str, value: str) -> Command | LogWanted | ChooseWanted | str:
    """What a click asks; a text is to be read as if it had been typed. Raises UnreadableClickError."""
    try:
        facts = json.loads(value)
        if "say" in facts:
            return str(facts["say"])
        if "choose" in facts:
            return ChooseWanted(service=str(facts["choose"]) or None)
        service, environment, deploy = str(facts["s"]), str(facts["e"]), str(facts["d"])
        source = Source(deploy=deploy, action=action)
        match action:
            case "abort":
                return Abort(service=service, environment=environment, deploy=deploy, button=source)
            case "rollback":
                pin = Pin(version=str(facts["v"]), commit=str(facts["c"]), until=str(facts["u"]))
                now = bool(facts.get("now"))
                return Rollback(service=service, environment=environment, pin=pin, now=now, button=source)
            case "retry":
                return Retry(service=service, environment=environment, deploy=deploy, button=source)
            case "deploy_again":
                version, commit = str(facts["v"]), str(facts["c"])
                return Deploy(service=service, version=version, environment=environment, commit=commit, button=source)
            case "log":
                return LogWanted(deploy=deploy)
            case _ if facts["a"] == "go_on":
                about = str(facts["q"])
                return Answer(
                    choice="go_on",
                    service=service,
                    environment=environment,
                    deploy=deploy,
                    about=about,
                    button=source,
                )
            case _:
                return Answer(
                    choice=facts["a"],
                    service=service,
                    environment=environment,
                    deploy=deploy,
                    step=str(facts["t"]),
                    attempt=int(facts["n"]),
                    button=source,
                )
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableClickError(f"the button {action!r} cannot be read: {error}") from error
