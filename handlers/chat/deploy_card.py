"""The living message: a deploy's state as a card. Pure: the same state gives the same card, whoever paints it.

Only a deploy that ended well, and was not replaced since, says that its version is live.
"""

from datetime import datetime
from typing import assert_never

from handlers.chat import clicks
from handlers.chat.asking import Question, asked
from handlers.chat.card import Button, Card, plain_text
from handlers.chat.step_lines import step_lines
from handlers.chat.times import between, clock, counted
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Changes, Outcome, Purpose
from pipelines.domain.room import Live, TargetState, Traffic

NO_WAY_BACK = "No button to roll back: nothing else was good here and stayed so."
TARGETS_SHOWN = 20
TRAFFIC = {Traffic.OUT: ", out of traffic", Traffic.UNSURE: ", in or out of traffic, nobody knows"}


def deploy_card(deploy: Deploy, now: datetime) -> Card:
    """`now` matters to nothing that a clock alone would change: it tells a day from another one."""
    if deploy.retried_by is not None:
        return _simple(deploy, f"🔁 {what(deploy)} was tried again in {_where(deploy)}")
    if deploy.superseded is not None:
        return _superseded(deploy, now)
    match deploy.outcome:
        case None:
            return _running(deploy)
        case Outcome.LIVE:
            return _live(deploy)
        case Outcome.FAILED | Outcome.ABORTED:
            return _ended_badly(deploy)
        case _:
            assert_never(deploy.outcome)


def what(deploy: Deploy) -> str:
    return f"{deploy.plan.service} {deploy.plan.version}"


def _where(deploy: Deploy) -> str:
    return deploy.plan.environment


def _simple(deploy: Deploy, title: str) -> Card:
    return Card(title=title, text=plain_text(title))


def _tries(deploy: Deploy) -> tuple[str, ...]:
    if deploy.attempt == 1:
        return ()
    ending = {2: "nd", 3: "rd"}.get(deploy.attempt % 10 if deploy.attempt not in (12, 13) else 0, "th")
    return (f"{deploy.attempt}{ending} try, @{deploy.by.name}",)


def _facts(deploy: Deploy) -> tuple[str, ...]:
    facts = [*_tries(deploy)] or [f"by @{deploy.by.name}"]
    if deploy.plan.shown not in ("", deploy.plan.version):
        facts.append(deploy.plan.shown)
    authors = deploy.changes.authors
    mine = authors == (deploy.by.name,)
    facts += change_facts(deploy.changes, deploy.replaces, authors=not mine)
    if deploy.because:
        facts.append(f"because {deploy.because}")
    if deploy.abort is not None and deploy.abort.because:
        facts.append(f"aborted because {deploy.abort.because}")
    return tuple(facts)


def change_facts(changes: Changes, live: Live | None, *, authors: bool = True) -> list[str]:
    """What is new, told against what is live."""
    facts: list[str] = []
    if live is not None and changes.count:
        facts.append(f"{counted(changes.count, 'commit')} since {live.version}")
    if live is not None and changes.behind:
        facts.append(f"without {changes.behind} of {live.version}'s")
    if changes.subjects:
        facts.append(f'"{changes.subjects[0]}"')
    if authors and changes.authors:
        facts.append("by " + ", ".join(changes.authors[:4]) + (" …" if len(changes.authors) > 4 else ""))
    if changes.stale is not None:
        facts.append(f"as of {clock(changes.stale)}: the repository does not answer")
    return facts


def _used(deploy: Deploy, buttons: list[Button | None]) -> tuple[tuple[Button, ...], tuple[str, ...]]:
    """The buttons that still work, and who pressed the others."""
    there = [button for button in buttons if button is not None]
    notes = tuple(
        f"{button.label}: @{used.by.name}, {clock(used.at)}"
        for button in there
        if (used := deploy.used.get(button.action)) is not None
    )
    return tuple(button for button in there if button.action not in deploy.used), notes


def _running(deploy: Deploy) -> Card:
    if (question := asked(deploy)) is not None:
        return _asking(deploy, question)
    verb = "Rolling back" if deploy.purpose is Purpose.ROLLBACK else "Deploying"
    if deploy.abort is not None:
        then = deploy.abort.then
        goes_on = f", then back to {then.version}" if then else ""
        title = f"⏹ Aborting {what(deploy)} in {_where(deploy)}{goes_on}"
        because = (f"because {deploy.abort.because}",) if deploy.abort.because else ()
        facts: tuple[str, ...] = (f"@{deploy.abort.by.name}", *because)
        buttons: list[Button | None] = []
    else:
        icon = "⏪" if deploy.purpose is Purpose.ROLLBACK else "🚀"
        arrow = f"to {deploy.plan.version} in" if deploy.purpose is Purpose.ROLLBACK else f"{deploy.plan.version} →"
        title = f"{icon} {verb} {deploy.plan.service} {arrow} {_where(deploy)}"
        facts = _facts(deploy)
        buttons = [clicks.abort(deploy), clicks.roll_back(deploy) if deploy.changed_something else None]
    kept, notes = _used(deploy, buttons)
    text = f"{title.split(' ', 1)[1]}, asked by {deploy.by.name}"
    if deploy.stumbled:
        title, text = f"⚠️ {what(deploy)} stands still in {_where(deploy)}", stumble(deploy)
    return Card(
        title=title,
        text=plain_text(text),
        facts=facts,
        lines=(*([stumble(deploy)] if deploy.stumbled else []), *step_lines(deploy)),
        buttons=kept,
        notes=(*notes, *_went_on(deploy), *_skipped(deploy)),
    )


def _went_on(deploy: Deploy) -> tuple[str, ...]:
    used = deploy.went_on
    return (f"Go on: @{used.by.name}, {clock(used.at)}",) if used is not None else ()


def stumble(deploy: Deploy) -> str:
    """Why a deploy stands still, in one sentence and the way on."""
    return (
        f"{what(deploy)} in {_where(deploy)} stands still: Shipmate itself broke. Its log has the error under "
        f"{deploy.stumbled}, and it tries again by itself. What runs on the targets is left as it is."
    )


def _asking(deploy: Deploy, question: Question) -> Card:
    kept, notes = _used(deploy, list(question.buttons))
    title = f"❓ {what(deploy)} in {_where(deploy)} needs an answer"
    return Card(
        title=title,
        text=plain_text(f"{what(deploy)} in {_where(deploy)} needs an answer. {question.sentence} {question.labels}?"),
        facts=_facts(deploy),
        lines=(question.sentence, *question.notes, *step_lines(deploy)),
        buttons=kept,
        notes=(*notes, *([NO_WAY_BACK] if deploy.rollback is None else [])),
    )


def _live(deploy: Deploy) -> Card:
    assert deploy.ended is not None
    title = f"✅ {what(deploy)} is live in {_where(deploy)}"
    facts: tuple[str, ...]
    if deploy.purpose is Purpose.ROLLBACK:
        facts = (_rolled_back(deploy, deploy.ended),)
    else:
        facts = (between(deploy.at, deploy.ended),)
    again = clicks.deploy_again(deploy) if deploy.purpose is Purpose.ROLLBACK else None
    kept, notes = _used(deploy, [clicks.roll_back(deploy), again, clicks.log(deploy)])
    unsure = () if deploy.plan.verified else ("not verified: the service has no `status`",)
    return Card(
        title=title,
        text=plain_text(f"{what(deploy)} is live in {_where(deploy)}, {facts[0]}, by {deploy.by.name}"),
        facts=(*facts, *unsure, *_facts(deploy)),
        buttons=kept,
        notes=(*notes, *([NO_WAY_BACK] if deploy.rollback is None else []), *_skipped(deploy)),
    )


def _rolled_back(deploy: Deploy, ended: datetime) -> str:
    was = deploy.replaces
    if was is not None and was.commit != deploy.plan.commit and deploy.left in ("", was.version):
        lived = f", which was live for {between(deploy.replaces_since, ended)}" if deploy.replaces_since else ""
        return f"rolled back from {was.version}{lived}"
    return f"rolled back from {deploy.left}, which never went live" if deploy.left else "rolled back"


def _ended_badly(deploy: Deploy) -> Card:
    where = _where(deploy)
    if deploy.outcome is Outcome.ABORTED and deploy.abort is not None:
        title = f"⏹ {what(deploy)} aborted in {where} by @{deploy.abort.by.name}"
    else:
        title = f"❌ {what(deploy)} failed in {where}: {deploy.why}"
    facts = _facts(deploy)
    old_serves = any(_runs_old(deploy, state) for state in deploy.now_runs.values())
    back, again = clicks.roll_back(deploy), clicks.retry(deploy)
    changed = deploy.changed_something
    order: list[Button | None] = [again, back] if old_serves or not changed else [back, again]
    order = [] if deploy.followed else order  # the deploy that came after has the buttons
    kept, notes = _used(deploy, [*order, clicks.log(deploy)])
    return Card(
        title=title,
        text=plain_text(f"{title.split(' ', 1)[1]}"),
        facts=facts,
        lines=(*_now_runs(deploy), *_traffic(deploy, old_serves)),
        buttons=kept,
        notes=(*notes, *([NO_WAY_BACK] if deploy.rollback is None and order else []), *_skipped(deploy)),
    )


def _runs_old(deploy: Deploy, state: TargetState) -> bool:
    return (
        deploy.replaces is not None
        and state.commit == deploy.replaces.commit
        and state.traffic not in (Traffic.OUT, Traffic.UNSURE)
        and state.commit != deploy.plan.commit
    )


def _now_runs(deploy: Deploy) -> tuple[str, ...]:
    if not deploy.changed_something:
        return ("Nothing was changed.",)
    lines = [f"{name}: {_runs(state)}" for name, state in deploy.now_runs.items()]
    more = len(lines) - TARGETS_SHOWN
    return tuple(lines if more <= 0 else [*lines[:TARGETS_SHOWN], f"and {more} more targets"])


def _runs(state: TargetState) -> str:
    version = f"runs {state.version}" if state.version else "nobody knows what it runs"
    return version + TRAFFIC.get(state.traffic, "")


def _traffic(deploy: Deploy, old_serves: bool) -> tuple[str, ...]:
    """Where traffic goes, when it does not simply go to the old version."""
    if old_serves or not deploy.changed_something or not deploy.plan.recipe.route or not deploy.now_runs:
        return ()
    if any(state.traffic is Traffic.UNSURE for state in deploy.now_runs.values()):
        return ("Where traffic goes is not known: the last change of it did not end well.",)
    serving = [state for state in deploy.now_runs.values() if state.traffic is not Traffic.OUT]
    if not serving:
        return ("No target is in traffic.",)
    versions = sorted({state.version or "an unknown version" for state in serving})
    verb = "is" if len(versions) == 1 else "are"
    return (f"{' and '.join(versions)} {verb} still in traffic.",)


def _superseded(deploy: Deploy, now: datetime) -> Card:
    assert deploy.superseded is not None
    used = deploy.superseded
    if deploy.outcome is not Outcome.LIVE:
        return _simple(deploy, f"{what(deploy)} in {_where(deploy)} was replaced by {deploy.superseded_by}")
    title = (
        f"{what(deploy)} was live in {_where(deploy)} until {clock(used.at)}, "
        f"replaced by {deploy.superseded_by} (@{used.by.name})"
    )
    return _simple(deploy, title)


def _skipped(deploy: Deploy) -> tuple[str, ...]:
    names = deploy.plan.skipped
    return (f"Skipped, not there any more: {', '.join(names[:10])}",) if names else ()
