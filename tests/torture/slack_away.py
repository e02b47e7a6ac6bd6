"""Slack is away for half an hour, in every way in which it can be, while thirty deploys in one channel go on.

For the bot the half hour passes faster (`tests.support.swift`): five times while the deploys run, then forty times.
From the moment at which Slack is back time is as it is, and calls are counted as Slack does.
"""

import random
import re
import time
from typing import Any

from bot.workspace.state import Message
from tests.support.fates import Fate
from tests.support.process import until
from tests.support.scene import read
from tests.support.unreliable import Unreliable
from tests.torture.peer import CHANNEL, Peer, met
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import at_last

DEPLOYS = 30
AWAY_SECONDS = 30 * 60.0
RUNNING_PACE, WAITING_PACE = 5.0, 40.0
BACK_SECONDS = 60.0
PATIENCE = 300.0
FATES = {Fate.BUSY: 4, Fate.ILL: 3, Fate.UNHEARD: 2, Fate.SILENT: 2, Fate.LOST: 1}
RETRY_AFTER = ("", "soon", "0", "1.5", "-3", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", "20")
MISSED = (r"installed on one in", r"after\S* done in", r"went live in")


def away(place: Place, tries: int) -> Verdict:
    found = [_away(place, number) for number in range(tries)]
    others = {name: sum(one.others[name] for one in found) for name in found[0].others}
    return Verdict(
        tries=tries,
        lost=sum(one.lost for one in found),
        doubled=sum(one.doubled for one in found),
        others=others,
        seen="; ".join(one.seen for one in found),
        wrong=[line for one in found for line in one.wrong],
    )


def _away(place: Place, number: int) -> Verdict:
    dice = random.Random(place.seed + number)
    pace = place.folder / f"pace{number}"
    pace.write_text("1")
    with met(place, f"away{number}", rooms=DEPLOYS) as peer:
        wire = Unreliable(peer.slack.workspace.api_url, retry_after=lambda: dice.choice(RETRY_AFTER))
        peer.slack.do(wire.start())
        peer.bot.env = {**peer.bot.env, "SLACK_API_URL": wire.url}
        try:
            peer.start(swift=pace)
            for room in peer.rooms:
                peer.slack.types("ana", "/deploy", f"api v2.0 {room}")
            pace.write_text(str(RUNNING_PACE))
            until(lambda: _shown(peer), seconds=PATIENCE, what="the message of every deploy, and its first milestone")
            began = time.monotonic()
            wire.fate = lambda _method, _args: dice.choices(list(FATES), list(FATES.values()))[0]
            peer.go.touch()
            every = {(room, "v2.0"): 1 for room in peer.rooms}
            until(
                lambda: peer.starts("after", "end") == every, seconds=PATIENCE, what="all deploys while Slack is away"
            )
            left = AWAY_SECONDS - RUNNING_PACE * (time.monotonic() - began)
            pace.write_text(str(WAITING_PACE))
            time.sleep(max(0.0, left / WAITING_PACE))
            pace.write_text("1")
            peer.slack.workspace.rates.on = True
            wire.fate, back = (lambda _method, _args: Fate.WELL), time.time()
            at_last(lambda: all(_told(peer, room) for room in peer.rooms), PATIENCE)
            took = time.time() - back
            lost = sum(fate is Fate.LOST for _, method, fate in wire.log if method == "chat.postMessage")
            return _judged(peer, back, took, lost)
        finally:
            peer.bot.kill()
            peer.slack.do(wire.stop())


def _shown(peer: Peer) -> bool:
    return len(peer.starts()) == DEPLOYS and all(
        cards and "before" in _thread(peer, cards[0]) for cards in peer.cards().values()
    )


def _thread(peer: Peer, card: Message) -> str:
    return "\n".join(map(read, peer.thread(card)))


def _told(peer: Peer, room: str) -> bool:
    return any("is live" in card["text"] and MISSED[-1] in _thread(peer, card) for card in peer.cards()[room])


def _since(call: Any, back: float) -> bool:
    return bool(time.time() - (time.monotonic() - call.at) >= back)


def _judged(peer: Peer, back: float, took: float, lost: int) -> Verdict:
    """`lost`: how many posts arrived whose answers did not."""
    missing, wrong, twice, edits, messages = [], [], 0, 0, 0
    calls = [call for call in peer.slack.workspace.calls if _since(call, back)]
    for room, cards in peer.cards().items():
        twice += len(cards) - 1
        if not _told(peer, room):
            missing.append(f"{room}: {[card['text'] for card in cards]} {[_thread(peer, card) for card in cards]}")
            continue
        card = next(card for card in cards if "is live" in card["text"])
        said = _thread(peer, card)
        places = [[found.start() for found in re.finditer(line, said)] for line in MISSED]
        twice += sum(len(one) - 1 for one in places if one)
        if not all(places) or [one[0] for one in places] != sorted(one[0] for one in places):
            wrong.append(f"{room}: not all that was missed, in order: {said}")
        edits += max(0, len([c for c in calls if c.method == "chat.update" and c.args.get("ts") == card["ts"]]) - 1)
        fresh = [message for message in peer.thread(card) if float(message["ts"]) >= back]
        messages += max(0, len([one for one in fresh if re.search("|".join(MISSED), read(one))]) - 1)
    starts = peer.starts()
    return Verdict(
        tries=1,
        lost=len(missing) + sum(starts[room, "v2.0"] == 0 for room in peer.rooms),
        doubled=max(0, twice - lost) + sum(max(0, count - 1) for count in starts.values()),
        others={
            "more than one edit": edits,
            "more than one message": messages,
            "out of order": len(wrong),
            "answers of 429": len([call for call in calls if call.status == 429]),
            f"later than {BACK_SECONDS:g} s": int(took > BACK_SECONDS),
        },
        seen=f"{DEPLOYS} deploys in {CHANNEL} shown within {took:.0f} s, {lost} answers lost, {twice} twice",
        wrong=[*missing, *wrong],
    )


FAULTS = (
    Fault(
        name="slack-away",
        what="Slack away for 30 min (on a faster clock) while 30 deploys run in one channel",
        run=away,
        tries=3,
        long=1,
        on=(SQLITE,),
    ),
)
