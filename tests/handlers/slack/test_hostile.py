"""Names, commit messages and output that mean harm, through every card to what Slack gets: nothing in them mentions,
links, formats, breaks a fence or hides. The judge is written apart from the renderer."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from handlers.chat import thread
from handlers.chat.answers import misread_card, refusal_card
from handlers.chat.card import Card
from handlers.chat.deploy_card import deploy_card
from handlers.chat.history_card import history_card
from handlers.chat.preview_card import diff_card
from handlers.chat.sentences import Misread
from handlers.chat.status_card import status_card
from handlers.slack.blocks import Message, card_message, lines_message, tail_message
from handlers.slack.form import Opened, form, option
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Changes, Outcome
from pipelines.domain.refs import CommitLine, Commits
from pipelines.domain.refusals import Code, Gate, Refusal
from pipelines.domain.room import Live, TargetState
from pipelines.domain.views import DiffView, HistoryView, RoomView, StatusView
from tests.pipelines.domain.test_choosing import deployed
from tests.support.domain import NOON, after, commit_of, config
from tests.support.slack_markup import complaints

PIECES = [
    "<!channel>", "<!here|here>", "<!everyone>", "<@U0ANA>", "<@U0ANA|ana>", "<#C1|x>", "<!subteam^S1|@api>",
    "<!date^1^{date}|x>", "<https://evil.test|click>", "https://evil.test/a?b=c", "HTTP://EVIL.TEST",
    "slack://open", "mailto:a@evil.test", "tel:+12", "a@evil.test", "javascript://x", "```", "`", "*bold*", "_it_",
    "~no~", "> quote", "&lt;!here&gt;", "&amp;lt;!channel&amp;gt;", "&#60;!here&#62;", "\u202e", "\u2066", "\u200b",
    "\u200d", "\ufeff", "\u00ad", "\u3164", "\u115f", "\u2800", "\ufe0f", "\U000e0041", "\u001b[31m",
    "\u001b]8;;http://x\u0007", "\u0000", "\u000d", "\u000a", "\u0009", "\ud800", "\u2028", "\u0301" * 9,
    ":rocket:", "is live in staging", "fix checkout", "\u00e9", "\u65e5\u672c", "x" * 700, " " * 50, "<", ">", "&",
    "|", "://", "@", "<<!here>>",
]  # fmt: skip


def hostile(seed: int, number: int) -> Iterator[str]:
    rng = random.Random(seed)
    for _ in range(number):
        pieces = rng.choices(PIECES, k=rng.randint(1, 6))
        pieces += [
            "".join(chr(rng.choice((rng.randrange(0x250), rng.randrange(0x11000)))) for _ in range(rng.randint(0, 4)))
        ]
        rng.shuffle(pieces)
        yield "".join(pieces)


def deploys(bad: str) -> Iterator[Deploy]:
    ended = replace(deployed("v1.4", shown=bad, before="v1.3"), because=bad, why=bad, ended=after(9))
    ended = replace(ended, changes=Changes(count=2, behind=1, authors=(bad, "raj"), subjects=(bad,)))
    yield ended
    yield replace(ended, outcome=Outcome.FAILED, now_runs={"staging": TargetState(version=bad)})
    yield replace(ended, outcome=None, ended=None)


def cards(bad: str) -> Iterator[Card]:
    yield from (deploy_card(deploy, NOON) for deploy in deploys(bad))
    evidence = dict.fromkeys(("given", "detail", "reason", "channel", "step", "version", "by"), bad) | {
        "at": NOON.isoformat()
    }
    for code in (Code.UNKNOWN_VERSION, Code.BAD_RECIPE, Code.REPOSITORY_AWAY, Code.CANNOT_POST, Code.STALE_BUTTON):
        gate = Gate(code=code, evidence={**evidence, "errors": (bad,), "near": (bad,)})
        yield refusal_card(Refusal(gates=(gate,)), NOON, said=bad, config=config())
    yield misread_card(Misread(sentence=bad), bad, config())
    line = CommitLine(commit=commit_of("v1.4"), author=bad, subject=bad, at=NOON)
    live = Live(version=bad, commit=commit_of("v1.3"))
    commits = Commits(ahead=1, behind=0, lines=(line,))
    yield diff_card(DiffView(service="api", environment="staging", version=bad, live=live, commits=commits), NOON)
    yield history_card(HistoryView(service="api", environment=None, deploys=tuple(deploys(bad))), NOON)
    room = RoomView(service="api", environment="staging", live=live, by=bad, targets={bad: TargetState(version=bad)})
    yield status_card(StatusView(rooms=(room,)), NOON)


def messages(bad: str) -> Iterator[Message]:
    yield from (card_message(card) for card in cards(bad))
    yield lines_message([bad, bad], mention="U0ANA")
    yield lines_message([bad])
    yield tail_message(bad, thread.tail(bad))


def judged(seed: int, number: int) -> None:
    for bad in hostile(seed, number):
        for message in messages(bad):
            found = complaints(message.payload, may_mention="U0ANA" if message.text.startswith("<@U0ANA> ") else None)
            assert not found, (bad, found)
            assert len(message.text) <= 300


def test_hostile_text_stays_text() -> None:
    judged(seed=1, number=300)


@pytest.mark.long
def test_ten_thousand_hostile_texts_stay_text() -> None:
    judged(seed=2, number=10_000)


def test_a_form_shows_names_as_they_are() -> None:
    for bad in hostile(3, 300):
        shown = option("v1", bad)["text"]
        assert shown["type"] == "plain_text" and not shown["emoji"] and len(shown["text"]) <= 75
    assert form(Opened(service="api"), config())["type"] == "modal"


@pytest.mark.parametrize(
    "bad",
    ["<!here>", "<@U1>", "https://x.test", "a@b.test", "*x*", "`x`", "a & b", "x\u200by", "x\u3164y", "mailto:x"],
)
def test_the_judge_sees_what_is_wrong(bad: str) -> None:
    assert complaints({"text": bad})


def test_the_judge_sees_into_blocks() -> None:
    for wrong in (
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "x"}]}]},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U2"}]}],
        },
        {"type": "actions", "elements": [{"type": "button", "url": "x", "text": {"type": "plain_text", "text": "x"}}]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]},
    ):
        assert complaints({"text": "x", "blocks": [wrong]}, may_mention="U1")
