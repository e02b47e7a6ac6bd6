"""The verdict: from the scripts' ledger and from Slack's side alone."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.workspace.state import Message
from tests.support.scene import read
from tests.torture import ledger
from tests.torture.ledger import Line
from tests.torture.people import at_rest, deploy_of
from tests.torture.rows import Verdict
from tests.torture.stage import EVERY, Room, Stage, lines_of

RESTS_SECONDS = 30.0
ENDS = re.compile(r"(\S+) (v\S+) (went live|was aborted|failed) in ")
TITLE = re.compile(r"(?:Deploying |Rolling back |Aborting )?\S+ (?:to )?(v\S+)")
SAID = re.compile(r"^(?:✓|⏹) .*$", re.M)
ACCEPTED = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asked in a room, and whether it was surely heard."""

    what: str
    version: str = ""
    sure: bool


@dataclass
class Found:
    """All that is not as it must be; then what was seen: how deploys ended, answers in private, scripts that died with
    their host, those that began again because somebody said so, and how long it took to take a deploy up."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    hurt: list[str] = field(default_factory=list)
    fences: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    no: int = 0
    cut: int = 0
    again: int = 0
    longest: float = 0.0

    def verdict(self, tries: int) -> Verdict:
        seen = [f"{count} {how}" for how, count in sorted(self.ends.items())]
        seen += [f"{self.no} answered no", f"taken up within {self.longest:.1f} s"]
        if self.cut:
            seen.append(f"{self.cut} scripts died, {self.again} of them ran again when told to")
        late = int(self.longest > RESTS_SECONDS)
        wrong = [*self.lost, *self.doubled, *self.overlaps, *self.hurt, *self.fences, *self.unasked]
        return Verdict(
            tries=tries,
            lost=len(self.lost),
            doubled=len(self.doubled),
            overlaps=len(self.overlaps),
            others={
                "hurt": len(self.hurt),
                "fences not rising": len(self.fences),
                "not asked about": len(self.unasked),
                f"taken up after {RESTS_SECONDS:g} s": late,
            },
            seen=", ".join(seen),
            wrong=wrong[:20],
        )

    def add(self, other: "Found") -> None:
        for name in ("lost", "doubled", "overlaps", "hurt", "fences", "unasked"):
            getattr(self, name).extend(getattr(other, name))
        self.ends += other.ends
        self.no += other.no
        self.cut += other.cut
        self.again += other.again
        self.longest = max(self.longest, other.longest)


def judged(stage: Stage, *, rerun: Sequence[str] = ()) -> Found:
    """`rerun`: the scripts that run again by themselves when they are lost."""
    lines, found = ledger.read(stage.service.ledger), Found()
    aborted: set[str] = set()
    for room in stage.rooms:
        aborted |= _room(stage, room, [line for line in lines if line.room == room.name], found)
    found.overlaps = ledger.overlaps(lines)
    found.fences = ledger.not_rising(lines)
    found.hurt = ledger.hurt(lines, aborted)
    found.longest = max(ledger.taken_up(lines, stage.restarts), default=0.0)
    _again(stage, lines, found, rerun)
    return found


def _room(stage: Stage, room: Room, lines: Sequence[Line], found: Found) -> set[str]:
    """The room's deploys that were aborted."""
    messages: dict[str, list[Message]] = defaultdict(list)
    for card in room.cards():
        messages[deploy_of(card)].append(card)
    ran = {line.deploy: line.version for line in lines}
    found.lost += [
        f"{room.name}: {version} ({deploy}) ran and has no message"
        for deploy, version in ran.items()
        if deploy not in messages
    ]
    endings = {}
    for deploy, cards in messages.items():
        found.doubled += [f"{room.name}: {len(cards)} messages of {deploy}"] * (len(cards) - 1)
        endings[deploy] = _deploy(room, cards[0], lines, found)
    found.ends += Counter(endings.values())
    _asked(room, [*_asks(stage, room)], messages, endings, found)
    return {deploy for deploy, ending in endings.items() if ending != "went live"}


def _deploy(room: Room, card: Message, of_room: Sequence[Line], found: Found) -> str:
    """How one deploy ended, as its thread says; its message, its thread, its log and its scripts agree. A rollback that
    follows an abort leaves a target alone that runs its version still."""
    lines = [line for line in of_room if line.deploy == deploy_of(card)]
    what = f"{room.name}: {card['text'][:80]} ({deploy_of(card)})"
    texts = [read(message) for message in room.thread(card)]
    endings = [match for text in texts for match in ENDS.finditer(text)]
    said = Counter(line for text in texts for line in SAID.findall(text))
    found.doubled += [f"{what}: says twice: {line}" for line, count in said.items() if count > 1]
    if not at_rest(card) or not endings:
        found.lost.append(f"{what}: the message, or its thread, does not end: {texts}")
        return "unfinished"
    found.doubled += [f"{what}: ends {len(endings)} times"] * (len(endings) - 1)
    ending = endings[0][3]
    done = {(one.script, one.target) for one in lines if one.what == "end"}
    asked = any("needs an answer" in text for text in texts)
    if ending == "went live" and not asked:  # else somebody may have said that a script worked that never ended
        before = ledger.serving(of_room, deploy_of(card), "install")
        kept = {target for target, version in before.items() if version == endings[0][2]}
        found.lost += [f"{what}: {step} did not end" for step in EVERY if step not in done and step[1] not in kept]
    if ending == "failed" and not asked:
        found.hurt.append(f"{what}: failed: {card['text']}")
    _log(room.files(card), what, lines, found)
    return ending


def _log(logs: Sequence[str], what: str, lines: Sequence[Line], found: Found) -> None:
    """Every line of every script that ended is in the log, as often as the script began at most."""
    begun = Counter((one.script, one.target) for one in lines if one.what == "start")
    done = {(one.script, one.target) for one in lines if one.what == "end"}
    found.doubled += [f"{what}: {len(logs)} logs"] * (len(logs) - 1)
    if done and not logs:
        found.lost.append(f"{what}: no log")
        return
    there = Counter(line for line in logs[0].splitlines() if " line " in line) if logs else Counter()
    for step, times in begun.items():
        wanted = lines_of(*step)
        found.lost += [f"{what}: not in the log: {line}" for line in wanted if step in done and not there[line]]
        found.doubled += [f"{what}: {there[line]} times in the log: {line}" for line in wanted if there[line] > times]
    known = {line for step in EVERY for line in lines_of(*step)}
    found.lost += [f"{what}: garbled in the log: {line!r}" for line in there if line not in known]


def _asks(stage: Stage, room: Room) -> Iterator[Asked]:
    """All that was asked in a room: as Slack delivered it, and by `say`."""
    by_trigger: dict[str, list[dict[str, object]]] = defaultdict(list)
    payloads = {}
    for one in stage.slack.workspace.deliverer.log:
        payload = one["payload"]
        where = payload.get("channel_id") or (payload.get("channel") or {}).get("id")
        if where == room.channel_id and one["kind"] != "events_api":
            by_trigger[payload["trigger_id"]].append(one)
            payloads[payload["trigger_id"]] = payload
    for trigger, tries in by_trigger.items():
        yield _ask(payloads[trigger], sure=any(one["acked"] for one in tries))
    for name, version, status in stage.said:
        if name == room.name and status in (ACCEPTED, 75):
            yield Asked(what="deploy", version=version, sure=status == ACCEPTED)


def _ask(payload: Message, *, sure: bool) -> Asked:
    if "actions" in payload:
        action = payload["actions"][0]
        label = str(action["text"]["text"])
        back = "back now" if '"now":1' in str(action.get("value")) else "rollback"
        return Asked(what=back if label.startswith("Roll back") else label.lower(), sure=sure)
    words = str(payload["text"]).split()
    if payload["command"] == "/rollback":
        return Asked(what="back now" if words[-1] == "now" else "rollback", sure=sure)
    if words[0] == "abort":
        return Asked(what="abort", sure=sure)
    if len(words) == 3 and words[1].startswith("v"):
        return Asked(what="deploy", version=words[1], sure=sure)
    return Asked(what="answer", sure=sure)


def _asked(
    room: Room,
    asks: Sequence[Asked],
    messages: dict[str, list[Message]],
    endings: dict[str, str],
    found: Found,
) -> None:
    """What was surely heard had its effect, or an answer; there is no effect that nobody asked for."""
    shown = [match[1] for cards in messages.values() if (match := TITLE.match(str(cards[0]["text"])))]
    wanted = {ask.version: ask for ask in asks if ask.what == "deploy"}
    missing = [version for version, ask in wanted.items() if ask.sure and version not in shown]
    back = [ask for ask in asks if ask.what in ("rollback", "back now")]
    went_back = len(shown) - len(set(shown) & set(wanted))
    missing += ["a rollback"] * (sum(ask.sure for ask in back) - went_back)
    found.doubled += [f"{room.name}: a deploy that nobody asked for"] * (went_back - len(back))
    stops = [ask for ask in asks if ask.what in ("abort", "back now")]
    stopped = sum(ending == "was aborted" for ending in endings.values())
    missing += ["an abort"] * (sum(ask.sure for ask in stops) - stopped)
    no = room.answers()
    found.no += len(no)
    if len(missing) > len(no):
        found.lost.append(f"{room.name}: heard and nothing came of it: {', '.join(missing)}; answers: {no}")


def _again(stage: Stage, lines: Sequence[Line], found: Found, rerun: Sequence[str]) -> None:
    """A script begins once; again where somebody said so, or where it was lost and may run again by itself."""
    lost = Counter(begun.step for begun, over in ledger.spans(lines) if over is not None and over.what == ledger.CRASH)
    more: Counter[str] = Counter()
    for step, count in ledger.starts(lines).items():
        deploy, script, _ = step
        by_itself = lost[step] if script in rerun else 0
        more[deploy] += max(0, count - by_itself - 1)
    found.doubled += [
        f"{deploy}: {count} scripts more than were asked for ({stage.again[deploy]} times)"
        for deploy, count in more.items()
        if count > stage.again[deploy]
    ]
    found.cut, found.again = lost.total(), sum(more.values())
    asked = {
        deploy_of(card)
        for room in stage.rooms
        for card in room.cards()
        if any("needs an answer" in read(message) for message in room.thread(card))
    }
    silent = {deploy for deploy, script, _ in lost if script not in rerun} - asked
    found.unasked = [f"{deploy}: lost a script, and nobody was asked" for deploy in silent]
