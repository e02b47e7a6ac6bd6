"""What `status` answers, and what it means: the first line names a version, a commit, or 7 or more digits of one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.domain.events import Progress, Report
from pipelines.domain.plan import Plan, Step

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_HEX = re.compile(r"[0-9a-f]{7,40}")
LINE_KEPT = 200


def reported(answer: str) -> Report:
    """The report in an answer: its first line that is not blank."""
    line = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    return Report(line=line[:LINE_KEPT], detail="" if line else "said nothing")


def words(report: Report) -> tuple[str, ...]:
    """The names in a report, in order: what may be a version or a commit."""
    return tuple(_TOKEN.findall(report.line))


def says(report: Report, version: str, commit: str) -> bool:
    """Whether a report names this version: by its name, or by 7 or more digits of its commit."""
    return any(
        word == version or (_HEX.fullmatch(word.lower()) is not None and commit.startswith(word.lower()))
        for word in words(report)
    )


def recognise(report: Report, known: Iterable[tuple[str, str]]) -> tuple[str | None, str | None]:
    """The version and commit a report means: of `known` ones the first that it names, else the first word that could
    be a version; a sentence without one means nothing."""
    for version, commit in known:
        if says(report, version, commit):
            return version, commit
    said = words(report)
    like = said if len(said) == 1 else [word for word in said if any(character.isdigit() for character in word)]
    return report.version or (like[0][:40] if like else None), report.commit


@dataclass(frozen=True, kw_only=True)
class Verdict:
    progress: Progress
    detail: str


def judge(step: Step, plan: Plan, progress: Progress, detail: str, report: Report | None) -> Verdict:
    """How a step that ended counts: a `status` that names another version than it must is a failure."""
    if not step.expect or progress is not Progress.OK or report is None:
        return Verdict(progress=progress, detail=detail)
    if says(report, plan.version, plan.commit):
        return Verdict(progress=Progress.OK, detail=detail)
    said = f"reports {report.line!r}" if report.line else "reports nothing"
    return Verdict(progress=Progress.FAILED, detail=f"{said}, not {plan.version}")
