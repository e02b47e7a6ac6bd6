"""Which names are offered first, which fit what is typed, and which way back a past deploy offers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.choosing import fitting, ranked
from pipelines.domain.commands import Pin
from pipelines.domain.deploy import Deploy
from pipelines.domain.events import Outcome, Place, Purpose
from pipelines.domain.refs import RefKind
from pipelines.domain.room import Good, Live, Room
from pipelines.domain.strategies import Wanted, compile_plan
from pipelines.domain.views import Name
from pipelines.domain.ways_back import way_back
from tests.support.domain import ANA, LEAST, NOON, after, commit_of, config

TAGS = tuple(Name(text=text, kind=RefKind.TAG) for text in ("v1.5", "v1.4", "v1.3"))
MAIN = Name(text="main", kind=RefKind.BRANCH)


def deployed(version: str, *, shown: str = "", before: str | None = None, deploy: str = "d1") -> Deploy:
    """A deploy that went live."""
    wanted = Wanted(
        service="api",
        environment="staging",
        version=version,
        repo="/repo",
        commit=commit_of(version),
        digest="git-tree:t",
        recipe=LEAST,
        targets=config().services["api"].targets_in("staging"),
        shown=shown,
    )
    return Deploy(
        id=deploy,
        ask="a",
        purpose=Purpose.DEPLOY,
        plan=compile_plan(wanted, {}),
        fence=1,
        by=ANA,
        place=Place(),
        at=NOON,
        seq=1,
        replaces=Live(version=before, commit=commit_of(before)) if before else None,
        outcome=Outcome.LIVE,
    )


def test_what_was_deployed_most_comes_first_and_the_rest_keeps_its_order() -> None:
    used = [deployed("v1.3"), deployed("v1.3"), deployed("abc", shown="main (3f2a91c)"), deployed("v1.4", shown="v1.4")]
    assert [(n.text, n.used) for n in ranked((*TAGS, MAIN), used)] == [
        ("v1.3", 2),
        ("v1.4", 1),
        ("main", 1),
        ("v1.5", 0),
    ]


def test_what_begins_with_the_typed_text_comes_before_what_holds_it() -> None:
    names = (Name(text="fix-v1", kind=RefKind.BRANCH), *TAGS, MAIN)
    assert [n.text for n in fitting(names, "V1")] == ["v1.5", "v1.4", "v1.3", "fix-v1"]
    assert fitting(names, "") == names


@given(st.text(max_size=5))
def test_whatever_is_typed_only_names_that_there_are_are_offered(typed: str) -> None:
    assert set(fitting((*TAGS, MAIN), typed)) <= {*TAGS, MAIN}


def room(*good: str, last: str = "d9") -> Room:
    return Room(
        service="api",
        environment="staging",
        last=last,
        live_deploy="d9",
        good=tuple(Good(version=v, commit=commit_of(v), at=after(i)) for i, v in enumerate(good)),
    )


def test_the_newest_deploy_goes_back_as_its_message_says() -> None:
    pin = Pin(version="v1.3", commit=commit_of("v1.3"), until="d9")
    newest = replace(deployed("v1.4", deploy="d9"), rollback=pin)
    assert way_back(newest, room("v1.3", "v1.4")) == pin
    assert way_back(replace(newest, rollback=None), room("v1.3", "v1.4")) is None


def test_an_older_one_goes_back_to_what_was_live_before_it() -> None:
    older = deployed("v1.3", before="v1.2", deploy="d5")
    pin = Pin(version="v1.2", commit=commit_of("v1.2"), until="d9")
    assert way_back(older, room("v1.2", "v1.3", "v1.4")) == pin
    assert way_back(older, room("v1.3", "v1.4")) is None, "it never ended well here"
    assert way_back(older, room("v1.3", "v1.4", "v1.2")) is None, "it is live again"
    assert way_back(replace(older, outcome=Outcome.FAILED), room("v1.2", "v1.4")) is None
    assert way_back(deployed("v1.3", deploy="d5"), room("v1.2", "v1.4")) is None
