"""Did you mean: what is offered is always a line that works, and nothing is offered for what was right."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chat import near
from handlers.chat.answers import misread_card, refusal_card
from handlers.chat.card import Card
from handlers.chat.grammar import parse
from handlers.chat.sentences import Misread
from pipelines.domain.commands import Unbuilt
from pipelines.domain.gates import known_room
from pipelines.domain.model import Service
from pipelines.domain.refs import flaw
from pipelines.domain.refusals import Code, Gate, Refusal
from tests.support import domain
from tests.support.domain import NOON

CONFIG = replace(
    domain.config(),
    services={**domain.config().services, "web-shop": Service(name="web-shop", repo="/web")},
)
AMONG_OTHERS = replace(
    domain.config(), services={"evil": Service(name="evil", repo="/evil"), **domain.config().services}
)
WORDS = [
    *("api", "apii", "web", "webshop", "v1.4", "staging", "stagin", "prod", "rolback", "rollback"),
    *("statsu", "status", "to", "now", "force", "hlep", "who", "dif", "undo", "thanks", "'api'", "https://e.com"),
    *("v1.4@staging", "#deploys", "plan", "roll", "back", "help", "latest"),
]


@pytest.mark.parametrize(
    ("said", "offered"),
    [
        ("apii v1.4 staging", ["api v1.4 staging"]),
        ("api v1.4 stagin", ["api v1.4 staging"]),
        ("ap v1.4 prod", ["api v1.4 production"]),
        ("web v1.4 staging", ["web-shop v1.4 staging"]),
        ("/deploy API v1.4 Stagng because it is late", ["api v1.4 staging because it is late"]),
        ("api staging v1.4", ["api v1.4 staging"]),
        ("rolback api production", ["rollback api production"]),
        ("rolback api prod to v1.2", ["rollback api production to v1.2"]),
        ("statsu", ["status"]),
        ("stauts api", ["status api"]),
        ("hlep", ["help"]),
        ("histroy api production", ["history api production"]),
        ("plna api v1.4 staging", ["plan api v1.4 staging"]),
        ("abrot", ["abort"]),
        ("status ap", ["status api"]),
        ("rollback apii staging now", ["rollback api staging now"]),
        ("diff api v1.4 stagin", ["diff api v1.4 staging"]),
        ("api v1.4 staging", []),
        ("status", []),
        ("xyz v1.4 qqq", []),
        ("", []),
        ("api v1.4 #deploys", []),
        ("rollback api staging v1.3", ["rollback api staging to v1.3"]),
        ("/rollback api staging v1.3", ["rollback api staging to v1.3"]),
        ("rollback api v1.3 staging", ["rollback api staging to v1.3"]),
        ("rollback apii stagin v1.3 now because", []),
        ("rollback apii stagin v1.3 now because slow", ["rollback api staging to v1.3 now because slow"]),
        ("rollback api production to", []),
        ("rollback api production please", []),
        ("roll back api staging", ["rollback api staging"]),
        ("Roll-back api staging to v1.2", ["rollback api staging to v1.2"]),
        ("/Deploy Roll Back api stagin", ["rollback api staging"]),
        ("undo", ["rollback"]),
        ("revert api staging", ["rollback api staging"]),
        ("thanks", []),
        ("services", []),
        ("lokc api staging", []),
        ("help rolback", ["help rollback"]),
        ("help stauts", ["help status"]),
        ("hlep undo", ["help rollback"]),
        ("api staging", ["api latest staging"]),
        ("api productio", ["api latest production"]),
        ("deploy api to production", ["api latest production"]),
        ("'api' 'v1.4' 'staging'", ["api v1.4 staging"]),
        ("“api” ‘v1.4’ `staging`", ["api v1.4 staging"]),
        ("api v1.4 stagin because it is 'late'", ["api v1.4 staging because it is 'late'"]),
        ("api <https://evil.com> stagin", []),
        ("deploy api v1.4@staging", ["api v1.4 staging"]),
        ("api #deploys", []),
        ("аpi v1.4 stagin", []),
    ],
)
def test_what_is_offered(said: str, offered: list[str]) -> None:
    assert list(near.meant(said, CONFIG)) == offered


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("rollback api", ["rollback api staging", "rollback api staging to VERSION"]),
        ("/rollback apii", ["rollback api staging", "rollback api staging to VERSION"]),
        ("rolback api", ["rollback api staging", "rollback api staging to VERSION"]),
        ("rollback api production to", ["rollback api production to VERSION"]),
        ("api force", ["api latest staging"]),
        ("api main", ["api main staging"]),
        ("api #deploys", ["api latest staging"]),
        ("plan api v1.4", ["plan api v1.4 staging"]),
        ("api v1.4 staging --force", ["api v1.4 staging", "help"]),
        ("abort staging", ["abort SERVICE staging"]),
        ("abort a", ["abort SERVICE staging"]),
        ("deploy <@U0ANA> staging", ["SERVICE latest staging"]),
    ],
)
def test_examples_hold_what_was_said_and_no_other_service(said: str, shown: list[str]) -> None:
    misread = parse(said)
    assert isinstance(misread, Misread)
    lines = misread_card(misread, said, AMONG_OTHERS).lines
    assert list(lines) == [f"/deploy {line}" for line in shown]


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_whoever_says_a_service_is_shown_no_other_one(words: list[str]) -> None:
    said = " ".join(["rollback", "api", *(word for word in words if not word.startswith("web"))])
    misread = parse(said)
    if isinstance(misread, Misread):
        assert "evil" not in " ".join(misread_card(misread, said, AMONG_OTHERS).lines)


def test_the_example_of_a_refused_line_is_one_of_its_verb() -> None:
    refusal = Refusal(gates=known_room("api", "v1.3", AMONG_OTHERS))
    card = refusal_card(refusal, NOON, said="rollback api to v1.3", config=AMONG_OTHERS)
    assert card.lines == ("For example: `/deploy rollback api staging to v1.3`",)


@pytest.mark.parametrize("verb", ["", "plan ", "diff "])
def test_the_way_on_from_a_name_with_two_meanings_is_by_the_same_verb(verb: str) -> None:
    room = {"service": "api", "where": "staging"}
    evidence: dict[str, str | tuple[str, ...]] = {**room, "given": "v1", "commits": ("3f2a91c", "b7d20e4")}
    refusal = Refusal(gates=(Gate(code=Code.AMBIGUOUS_VERSION, evidence=evidence),))
    card = refusal_card(refusal, NOON, said=f"{verb}api v1 staging", config=CONFIG)
    assert card.title.endswith(f"Say for example `/deploy {verb}api 3f2a91c staging`.")


def test_versions_near_the_one_that_was_said() -> None:
    assert near.meant("api v14 staging", CONFIG, ("v1.4", "v1.3")) == ("api v1.4 staging", "api v1.3 staging")


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_every_line_that_is_offered_names_only_what_there_is(words: list[str]) -> None:
    for line in near.meant(" ".join(words), CONFIG):
        meant = parse(line)
        assert not isinstance(meant, Misread | Unbuilt)
        assert not flaw(str(getattr(meant, "to", None) or getattr(meant, "version", "v1")))
        assert not known_room(getattr(meant, "service", None), getattr(meant, "environment", None), CONFIG)


@given(st.text(max_size=200))
def test_no_text_breaks_it(said: str) -> None:
    assert len(near.meant(said, CONFIG)) <= 3


def test_it_is_quick_with_many_services() -> None:
    many = replace(CONFIG, services={f"service-{i}": Service(name=f"service-{i}", repo="/r") for i in range(300)})
    took = []
    for _ in range(3):
        start = time.perf_counter()
        near.meant("servce-12 v1.4 stagin", many)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.1


def buttons(card: Card) -> list[tuple[str, str]]:
    return [(button.label, button.say) for button in card.buttons]


def test_a_misspelt_service_gets_a_button_that_asks_once_more_where_it_is_protected() -> None:
    refusal = Refusal(gates=known_room("apii", "production", CONFIG))
    card = refusal_card(refusal, NOON, said="apii v1.4 production", config=CONFIG)
    assert card.lines[-1] == "Did you mean `/deploy api v1.4 production`?"
    assert buttons(card) == [("Choose api v1.4 production", "api v1.4 production")]
    assert card.buttons[0].confirm is not None
    calm = refusal_card(refusal, NOON, said="apii v1.4 staging", config=CONFIG)
    assert calm.buttons[0].confirm is None


def test_near_versions_are_offered_and_other_refusals_offer_nothing() -> None:
    unknown = Refusal(gates=(Gate(code=Code.UNKNOWN_VERSION, evidence={"given": "v14", "near": ("v1.4",)}),))
    card = refusal_card(unknown, NOON, said="api v14 staging", config=CONFIG)
    assert buttons(card) == [("Choose api v1.4 staging", "api v1.4 staging")]
    other = Refusal(gates=(Gate(code=Code.CANNOT_POST, evidence={"channel": "#x"}),))
    assert not refusal_card(other, NOON, said="apii v1.4 staging", config=CONFIG).buttons


def test_a_misread_line_offers_what_is_near_or_shows_what_works() -> None:
    misread = parse("rolback api production please")
    assert isinstance(misread, Misread)
    card = misread_card(misread, "rolback api production please", CONFIG)
    assert card.lines
    asked = parse("abort apii")
    assert isinstance(asked, Misread)
    assert misread_card(asked, "abort apii", CONFIG).lines == ("/deploy abort api staging",)
    alone = misread_card(asked, "abort shop", domain.config())
    assert alone.lines == ("/deploy abort SERVICE staging",)
