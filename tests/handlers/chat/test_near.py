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
from pipelines.domain.gates import known_room
from pipelines.domain.model import Service
from pipelines.domain.refusals import Code, Gate, Refusal
from tests.support import domain
from tests.support.domain import NOON

CONFIG = replace(
    domain.config(),
    services={**domain.config().services, "web-shop": Service(name="web-shop", repo="/web")},
)
WORDS = [
    *("api", "apii", "web", "webshop", "v1.4", "staging", "stagin", "prod", "rolback", "rollback"),
    *("statsu", "status", "to", "now", "force", "hlep", "who", "dif"),
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
    ],
)
def test_what_is_offered(said: str, offered: list[str]) -> None:
    assert list(near.meant(said, CONFIG)) == offered


def test_versions_near_the_one_that_was_said() -> None:
    assert near.meant("api v14 staging", CONFIG, ("v1.4", "v1.3")) == ("api v1.4 staging", "api v1.3 staging")


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_every_line_that_is_offered_names_only_what_there_is(words: list[str]) -> None:
    for line in near.meant(" ".join(words), CONFIG):
        meant = parse(line)
        assert not isinstance(meant, Misread)
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
