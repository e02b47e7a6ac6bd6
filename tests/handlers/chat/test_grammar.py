"""What people type, sentence by sentence, and that no text whatever is an exception."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.chat.answers import misread_card
from handlers.chat.grammar import Parsed, parse
from handlers.chat.sentences import Misread
from handlers.chat.wording import render
from pipelines.domain.commands import (
    Abort,
    Answer,
    Choose,
    Deploy,
    Diff,
    Help,
    History,
    Preview,
    Recent,
    Retry,
    Rollback,
    Status,
    Unbuilt,
    Who,
)
from tests.support.domain import config

LATER = "why approve decline promote unlock queue freeze thaw dora drift secrets flag drill test"
KNOWN = "api v1.4 staging to in because now force rollback @ at help status abort deploy run again wait --x it worked"
JOINED = (" ", " ", "", "@", "/", " /", " to ")
API = Deploy(service="api", version="v1.4", environment="staging")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("api v1.4 staging", API),
        ("/deploy api v1.4 staging", API),
        ("deploy api v1.4 staging", API),
        ("api@v1.4 to staging", API),
        ("API v1.4 in the Staging", API),
        ("api   v1.4\nto staging", API),
        ("api\u00a0v1.4 staging", API),
        ("api <http://v1.4|v1.4> staging", API),
        ("api v1.4 staging force now", Deploy(**{**API.__dict__, "force": True, "now": True})),
        ("api v1.4 staging because it’s <urgent>", Deploy(**{**API.__dict__, "because": "it's <urgent>"})),
        ("api feature/x-1 staging", Deploy(service="api", version="feature/x-1", environment="staging")),
        ("api Main staging", Deploy(service="api", version="Main", environment="staging")),
        ("rollback api production", Rollback(service="api", environment="production")),
        ("/rollback api production", Rollback(service="api", environment="production")),
        ("/Rollback api production", Rollback(service="api", environment="production")),
        ("Rollback api production", Rollback(service="api", environment="production")),
        ("to /rollback api production", Rollback(service="api", environment="production")),
        ("/Deploy Status", Status()),
        ("rollback api in production to v1.2", Rollback(service="api", environment="production", to="v1.2")),
        ("rollback api production now", Rollback(service="api", environment="production", now=True)),
        (
            "rollback api production to v1.2 now because pages fail",
            Rollback(service="api", environment="production", to="v1.2", now=True, because="pages fail"),
        ),
        ("status", Status()),
        ("status api", Status(service="api")),
        ("status api staging", Status(service="api", environment="staging")),
        ("abort", Abort()),
        ("abort api staging", Abort(service="api", environment="staging")),
        ("abort api staging because wrong one", Abort(service="api", environment="staging", because="wrong one")),
        ("retry api staging", Retry(service="api", environment="staging")),
        ("run again api staging", Answer(choice="again", service="api", environment="staging")),
        ("it worked", Answer(choice="worked")),
        ("wait api staging", Answer(choice="wait", service="api", environment="staging")),
        ("stop it api staging", Answer(choice="stop", service="api", environment="staging")),
        ("", Choose()),
        ("/deploy", Choose()),
        ("deploy", Choose()),
        ("to the", Choose()),
        ("api", Choose(service="api")),
        ("deploy API", Choose(service="api")),
        ("rollback", Recent()),
        ("/rollback", Recent()),
        ("plan api v1.4 staging", Preview(deploy=API)),
        ("plan api@v1.4 to the staging", Preview(deploy=API)),
        ("plan api v1.4 staging force", Preview(deploy=Deploy(**{**API.__dict__, "force": True}))),
        ("history api production", History(service="api", environment="production")),
        ("history api", History(service="api")),
        ("diff api v1.4 production", Diff(service="api", version="v1.4", environment="production")),
        ("who api", Who(service="api")),
        ("who", Who()),
        ("help it worked", Help(topic="run again")),
        ("help", Help()),
        ("help rollback", Help(topic="rollback")),
        ("lock api production for 2h because x", Unbuilt(name="lock")),
        ("api v1.4 staging at 02:00", Unbuilt(name="scheduling (at …)")),
    ],
)
def test_a_sentence_means_this(text: str, meant: Parsed) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize("verb", LATER.split())
def test_every_verb_of_the_product_is_known_by_name(verb: str) -> None:
    assert parse(f"{verb} api production") == Unbuilt(name=verb)


@pytest.mark.parametrize(
    ("text", "says", "example"),
    [
        ("api force", "Which service and version, and where?", "api latest staging"),
        ("api v1.4", "Where shall api v1.4 go?", "api v1.4 staging"),
        (
            "plan api v1.4",
            "`plan` takes a service, a version and an environment",
            "plan api v1.4 staging",
        ),
        ("diff api", "`diff` takes a service, a version and an environment", "diff api latest staging"),
        ("diff api v1 staging now", "`now` says nothing to `diff`", "diff api v1 staging"),
        ("history", "Of which service?", "history api"),
        ("history api staging c", "'c' is one word too many", "history api staging"),
        ("who api b", "'b' is one word too many", "who api"),
        ("rollback api staging force", "`force` says nothing to `rollback`", "rollback api staging"),
        ("api v1.4 staging please", "'please' is one word too many", "api v1.4 staging"),
        ("api v1.4 staging --force", "begins with dashes", "api v1.4 staging"),
        ("rollback api", "Which service, and where?", "rollback api staging"),
        ("rollback api production to", "names one version", "rollback api production to VERSION"),
        ("abort api", "`abort` takes a service and an environment", "abort api staging"),
        ("status api staging c", "'c' is one word too many", "status api staging"),
        ("help nonsense", "There is no help for 'nonsense'", "help rollback"),
        ("api v1.4 staging because", "needs a reason", "api v1.4 staging because it is urgent"),
        ("status now", "`now` says nothing to `status`", "status api staging"),
        ("status because", "needs a reason", "api latest staging because it is urgent"),
        ("аpi v1.4 staging", "cyrillic small letter a", "help"),
        ("api v1.4\u200b staging", "zero width space", "help"),
        ("api v1.4 staging because \u202eevil", "right-to-left override", "help"),
        ("api v1\x07 staging", "U+0007", "help"),
        ("x" * 5_000, "longer than 4,000 characters", "help"),
        ("api v1.4 staging because " + "x" * 501, "longer than 500 characters", "help"),
        ("api " + "v" * 300 + " staging", "A word of 300 characters", "help"),
    ],
)
def test_what_is_not_understood_is_named_with_a_line_that_would_be(text: str, says: str, example: str) -> None:
    misread = parse(text)
    assert isinstance(misread, Misread)
    assert says in misread.sentence
    shown = misread_card(misread, text, config()).lines
    assert f"/deploy {example}" in shown
    for line in shown:
        assert not isinstance(parse(line), Misread), line


@given(st.text(max_size=300))
def test_any_text_is_answered_and_never_an_exception(text: str) -> None:
    meant = parse(text)
    if not isinstance(meant, Misread | Unbuilt | Help):
        assert parse(render(meant)) == meant


@given(st.lists(st.tuples(st.sampled_from(JOINED), st.sampled_from(KNOWN.split()))))
@example([("", "to"), (" /", "rollback"), (" ", "api"), (" ", "staging")])
@example([("", "deploy"), (" /", "rollback"), (" ", "api"), (" ", "staging")])
@example([("", "now"), ("@", "it"), (" ", "worked")])
@example([("", "because"), ("@", "api"), (" ", "staging")])
def test_any_order_of_known_words_is_answered(pieces: list[tuple[str, str]]) -> None:
    meant = parse("".join(before + word for before, word in pieces))
    if not isinstance(meant, Misread | Unbuilt | Help):
        assert parse(render(meant)) == meant


@given(st.text(max_size=4_000))
def test_any_text_is_answered_within_five_milliseconds(text: str) -> None:
    took = []
    for _ in range(5):
        start = time.perf_counter()
        parse(text)
        took.append(time.perf_counter() - start)
        if took[-1] < 0.005:
            break
    assert min(took) < 0.005


def test_a_long_hostile_text_is_answered_within_five_milliseconds() -> None:
    texts = ["because " * 490, "<http://" * 480, "&amp;" * 790, "a@" * 1_900, "\u202e" * 3_900, "<@U1|" * 700]
    for text in texts:
        took = []
        for _ in range(5):
            start = time.perf_counter()
            parse(text)
            took.append(time.perf_counter() - start)
        assert min(took) < 0.005, text[:20]
