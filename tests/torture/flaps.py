"""Socket Mode flaps: Slack asks for another connection or warns, a ticket is spent in vain, the line dies without a
word, or is cut between a delivery and its acknowledgement. Somebody asks for something in each of these moments."""

import asyncio
import time
from concurrent.futures import Future
from typing import Any

from tests.support.cable import Cable
from tests.support.process import until
from tests.torture.peer import CHANNEL, Peer, met
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import at_last

VERSION = "v1.0"
RECONNECTED_SECONDS = 10.0
REPEATS = 20
PATIENCE = 60.0
WAYS = ("spent ticket", "ack lost", "half-open", "refresh", "cut", "warning")


def flaps(place: Place, tries: int) -> Verdict:
    """Each flap in its own room, which is deployed to by a mention: Slack delivers these again until they are heard."""
    dice = place.dice()
    ways = [WAYS[number % len(WAYS)] for number in range(tries)]
    dice.shuffle(ways)
    with met(place, "flaps", rooms=tries + 1) as peer:
        cable = Cable(peer.slack.workspace.page_url)
        peer.slack.do(cable.start())
        peer.slack.workspace.deliverer.sockets.repeats = (
            REPEATS  # flaps come quicker than Slack's own repeats are apart
        )
        peer.slack.workspace.page_url = cable.url  # which is where connections are opened to
        try:
            peer.start()
            took = [(_flap(peer, cable, way, room), way) for way, room in zip(ways, peer.rooms, strict=False)]
            at_last(lambda: all(peer.starts()[room, VERSION] for room in peer.rooms[:tries]), PATIENCE)
            marker = peer.rooms[-1]
            peer.slack.types("ana", "/deploy", f"api {VERSION} {marker}")  # what came before it is decided when it runs
            at_last(lambda: peer.starts()[marker, VERSION] == 1, PATIENCE)
            starts = peer.starts()
        finally:
            peer.bot.kill()
            peer.slack.do(cable.stop())
    late = [f"{way}: connected again after {seconds:.1f} s" for seconds, way in took if seconds > RECONNECTED_SECONDS]
    lost = [f"{way} in {room}: lost" for way, room in zip(ways, peer.rooms, strict=False) if not starts[room, VERSION]]
    twice = [f"{room} {version}: began {count} times" for (room, version), count in starts.items() if count > 1]
    return Verdict(
        tries=tries,
        lost=len(lost),
        doubled=len(twice),
        others={f"connected again after {RECONNECTED_SECONDS:g} s": len(late)},
        seen=f"longest without a connection {max(took)[0]:.1f} s ({max(took)[1]})",
        wrong=[*lost, *twice, *late],
    )


def _flap(peer: Peer, cable: Cable, way: str, room: str) -> float:
    """Seconds until Slack has a connection again that works."""
    sockets = peer.slack.workspace.deliverer.sockets
    before = list(sockets.connections)
    match way:
        case "refresh" | "warning":
            asking = _asks(peer, room)
            reason = "refresh_requested" if way == "refresh" else "warning"
            peer.slack.do(sockets.disconnect(reason))
        case "ack lost":
            peer.slack.call(cable.deafen)
            asking = _asks(peer, room)
            until(lambda: room in _delivered(peer), what="the delivery")
            peer.slack.call(cable.cut)
        case _:
            cable.spends = 1 if way == "spent ticket" else 0
            peer.slack.call(cable.freeze if way == "half-open" else cable.cut)
            asking = _asks(peer, room)
    began = time.monotonic()
    at_last(lambda: any(one not in before for one in sockets.connections), PATIENCE)
    took = time.monotonic() - began
    peer.slack.call(cable.bury)
    asking.result(PATIENCE)
    return took


def _delivered(peer: Peer) -> set[str]:
    """The rooms of which the line that is deaf heard: the bot has begun what was asked there."""
    return {room for room, _ in peer.starts("before")}


def _asks(peer: Peer, room: str) -> "Future[Any]":
    saying = peer.slack.workspace.person("ana").say(CHANNEL, f"@shipmate deploy api {VERSION} {room}")
    return asyncio.run_coroutine_threadsafe(saying, peer.slack.loop)


FAULTS = (
    Fault(
        name="flaps",
        what="Socket Mode: refresh, warning, cut, spent ticket, half-open, cut between delivery and ack",
        run=flaps,
        tries=500,
        long=3,
        on=(SQLITE,),
    ),
)
