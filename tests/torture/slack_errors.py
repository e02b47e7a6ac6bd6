"""Slack says no to all that it is told of a deploy, for every reason that is known. The deploy goes on as if nothing
were, and whoever asked learns how it ended: in the channel or in private; where the token is no good, the log says so.
"""

from collections.abc import Iterator
from typing import Any

from bot.workspace.wire import as_json
from tests.support.fates import Fate
from tests.support.process import until
from tests.support.scene import read
from tests.support.unreliable import Unreliable
from tests.torture.peer import Peer, met
from tests.torture.rows import SQLITE, Fault, Place, Verdict
from tests.torture.stage import at_last

VERSION = "v2.0"
PATIENCE = 120.0
NO_ROOM = ("channel_not_found", "is_archived", "not_in_channel")
SHAPES = ("msg_too_long", "invalid_blocks", "msg_blocks_too_long")
REFUSED = ("account_inactive", "token_revoked", "token_expired")
WORDS = tuple(word for kinds in zip(NO_ROOM, SHAPES, REFUSED, strict=True) for word in kinds)


def errors(place: Place, tries: int) -> Verdict:
    """A try is one deploy and one error that its message and its thread meet from the middle of it on."""
    with met(place, "errors", rooms=tries) as peer:
        wire = Unreliable(peer.slack.workspace.api_url)
        peer.slack.do(wire.start())
        peer.bot.env = {**peer.bot.env, "SLACK_API_URL": wire.url}
        words = {room: WORDS[number % len(WORDS)] for number, room in enumerate(peer.rooms)}
        try:
            peer.start()
            for room in peer.rooms:
                peer.slack.types("ana", "/deploy", f"api {VERSION} {room}")
            until(lambda: all(peer.cards().values()), seconds=PATIENCE, what="the message of every deploy")
            until(lambda: len(peer.starts()) == tries, seconds=PATIENCE, what="every script")
            deploys = {deploy_of(cards[0]): room for room, cards in peer.cards().items()}
            wire.fate = lambda method, args: _fate(method, args, {one: words[room] for one, room in deploys.items()})
            peer.go.touch()
            at_last(lambda: not list(_unhurt(peer)), PATIENCE)
            at_last(lambda: not list(_untold(peer, words)), PATIENCE)
            hurt, untold = list(_unhurt(peer)), list(_untold(peer, words))
            twice = [f"{room}: began {count} times" for (room, _), count in peer.starts().items() if count > 1]
        finally:
            peer.bot.kill()
            peer.slack.do(wire.stop())
    return Verdict(
        tries=tries,
        lost=len(hurt),
        doubled=len(twice),
        others={"not told": len(untold)},
        seen=f"{len({*words.values()})} kinds of errors",
        wrong=[*hurt, *untold, *twice],
    )


def deploy_of(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["deploy"])


def _fate(method: str, args: dict[str, Any], words: dict[str, str]) -> str:
    marked = (as_json(args.get("metadata")) or {}).get("event_payload") or {}
    word = words.get(str(marked.get("deploy")), "")
    if not word or (word in SHAPES and not as_json(args.get("blocks"))):
        return Fate.WELL
    return word


def _unhurt(peer: Peer) -> Iterator[str]:
    ended = peer.starts("after", "end")
    return (f"{room}: the deploy did not end" for room in peer.rooms if not ended[room, VERSION])


def _untold(peer: Peer, words: dict[str, str]) -> Iterator[str]:
    private = [read(message) for message in peer.slack.workspace.whispers("ana")]
    private += [read(message) for message in peer.slack.workspace.messages("DU0ANA")]
    for room, word in words.items():
        match word:
            case _ if word in NO_ROOM:
                told = any(room in line and "cannot post" in line and "went live" in line for line in private)
            case _ if word in SHAPES:
                told = any("is live" in card["text"] for card in peer.cards()[room])
            case _:
                told = f"Slack says {word}" in peer.bot.log()
        if not told:
            yield f"{room}: nobody is told ({word}): {[card['text'] for card in peer.cards()[room]]}, {private}"


FAULTS = (
    Fault(
        name="slack-errors",
        what="Slack says no in the middle of a deploy: channel gone, message too long or odd, token gone",
        run=errors,
        tries=90,
        quick=3,
        on=(SQLITE,),
    ),
)
