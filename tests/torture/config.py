"""The configuration is written anew every 50 ms while people deploy: each deploy is of one configuration, whole."""

import json
import threading
from collections import defaultdict

from tests.torture import ledger
from tests.torture.judge import judged
from tests.torture.kills import REST
from tests.torture.people import a_crowd
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import Stage, at_last, configuration, on_stage

ROOMS = 6
EVERY_SECONDS = 0.05
ONE, OTHER = ("one", "two"), ("three", "four", "five")
WHOLE = [frozenset(ONE), frozenset(OTHER)]


class Writer(threading.Thread):
    """Writes one configuration and the other in turn: in place or by a new file, so that the bot also reads halves."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(daemon=True)
        names = tuple(room.service for room in stage.rooms)
        texts = [configuration(stage.service, names, targets) for targets in (ONE, OTHER)]
        self._texts = [json.dumps(text, indent=1) for text in texts]
        self._path = stage.service.config
        self._over = threading.Event()
        self.written = 0

    def run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            text = self._texts[self.written // 2 % 2]
            if self.written % 2:
                self._path.write_text(text)
            else:
                new = self._path.with_name("shipmate.yml.new")
                new.write_text(text)
                new.replace(self._path)
            self.written += 1

    def end(self) -> None:
        self._over.set()
        self.join()


def rewritten(place: Place, tries: int) -> Verdict:
    """So many deploys, by people in some rooms at once."""
    dice = place.dice()
    with on_stage(place, "config", rooms=ROOMS, pause=0.05) as stage:
        stage.start_and_wait()
        writer = Writer(stage)
        writer.start()
        with a_crowd(stage, dice) as crowd:
            at_last(lambda: _begun(stage) >= tries, 60 + 20 * tries)
            crowd.close()
            at_last(lambda: crowd.idle() and not judged(stage).ends["unfinished"], REST)
        writer.end()
        return _verdict(stage, writer.written)


def _begun(stage: Stage) -> int:
    return sum(len(room.cards()) for room in stage.rooms)


def _verdict(stage: Stage, written: int) -> Verdict:
    lines = ledger.read(stage.service.ledger)
    targets: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for line in lines:
        if line.target != "-" and line.what == "start":
            targets[line.deploy][line.script].add(line.target)
    mixed = [f"{deploy}: {dict(by)}" for deploy, by in targets.items() if not _whole(list(by.values()))]
    twice = [step for step, count in ledger.starts(lines).items() if count > 1]
    ends = judged(stage).ends
    return Verdict(
        tries=_begun(stage),
        lost=ends.total() - ends["went live"],
        doubled=len(twice),
        overlaps=len(ledger.overlaps(lines)),
        others={"mixed runs": len(mixed)},
        seen=f"written {written:,} times",
        wrong=mixed[:10],
    )


def _whole(found: list[set[str]]) -> bool:
    """Every script ran on the targets of one configuration, and all of them on those of the same."""
    return len(found) > 0 and frozenset(found[0]) in WHOLE and all(one == found[0] for one in found)


FAULTS = (
    Fault(
        name="config",
        what="the configuration is written every 50 ms during deploys",
        run=rewritten,
        tries=200,
        long=10,
        on=(SQLITE,),
    ),
)
