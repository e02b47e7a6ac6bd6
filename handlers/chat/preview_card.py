"""What would be, as cards: the plan of a deploy with the gates that hold it, and what a version would change."""

from datetime import datetime

from handlers.chat import near, words
from handlers.chat.card import Card, plain_text
from handlers.chat.deploy_card import NO_WAY_BACK, change_facts
from handlers.chat.plan_lines import plan_lines
from handlers.chat.times import clock, counted
from handlers.chat.wording import render
from pipelines.domain.commands import Deploy, Preview
from pipelines.domain.events import Planned
from pipelines.domain.model import Config
from pipelines.domain.refs import CommitLine
from pipelines.domain.refusals import Refusal
from pipelines.domain.views import DiffView, PreviewView

STEPS_SHOWN = 40


def preview_card(view: PreviewView, config: Config, now: datetime) -> Card:
    """The plan and what holds it; where there is no plan, why."""
    planned, gates = view.ahead.planned, view.ahead.gates
    refusal = Refusal(gates=gates, offers=view.ahead.offers if gates else ())
    held = [f"✗ {words.sentence(gate, now, 'plan')}" for gate in gates]
    asked = Preview(deploy=Deploy(service=view.service, version=view.asked, environment=view.environment))
    meant = near.meant_by(render(asked), config, refusal)
    title = f"Plan: {view.service} {planned.plan.version if planned else view.asked} → {view.environment}"
    verdict = (
        "Nothing holds it." if not gates else f"{len(gates)} {'gate holds' if len(gates) == 1 else 'gates hold'} it:"
    )
    return Card(
        title=title,
        text=plain_text(f"{title}. {verdict} Nothing was started."),
        facts=_facts(planned) if planned else (),
        lines=(verdict, *held, *(_steps(planned, view.ahead.back) if planned else ())),
        buttons=(*near.offered(refusal, config), *near.buttons(meant, config)),
        notes=("Nothing was started.",),
    )


def _facts(planned: Planned) -> tuple[str, ...]:
    live = planned.replaces
    return (
        f"{live.version} is live now" if live else "no one version is known to be live",
        *change_facts(planned.changes, live),
    )


def _steps(planned: Planned, back: str) -> tuple[str, ...]:
    lines = plan_lines(planned.plan)
    more = len(lines) - STEPS_SHOWN
    shown = lines if more <= 0 else (*lines[:STEPS_SHOWN], f"and {more} more steps")
    return (*shown, f"The way back would be {back}, by the same steps." if back else NO_WAY_BACK)


def diff_card(view: DiffView, now: datetime) -> Card:
    title = f"{view.service}: {view.version} against what is live in {view.environment}"
    if view.live is None or view.commits is None:
        line = "Nobody knows what is live there, so there is nothing to compare with. See `/deploy status`."
        return Card(title=title, text=plain_text(f"{title}. {line}"), lines=(line,))
    commits = view.commits
    facts = [
        f"{view.live.version} is live",
        f"{counted(commits.ahead, 'commit')} ahead",
        f"{counted(view.files, 'file')} differ{'s' if view.files == 1 else ''}",
    ]
    if commits.behind:
        facts.append(f"without {commits.behind} of {view.live.version}'s")
    if view.stale is not None:
        facts.append(f"as of {clock(view.stale, now)}: the repository does not answer")
    lines = [_commit(line) for line in commits.lines] or ["No commit is in it that is not live already."]
    if commits.ahead > len(commits.lines) > 0:
        lines.append(f"and {commits.ahead - len(commits.lines)} more")
    return Card(title=title, text=plain_text(f"{title}: {', '.join(facts)}"), facts=tuple(facts), lines=tuple(lines))


def _commit(line: CommitLine) -> str:
    return f"{line.commit[:7]}  {line.subject}  ({line.author})"
