"""Who somebody is, asked of a Slack that answers, lies by omission, or is away."""

from dataclasses import replace

import pytest

from handlers.slack.identity import name_of
from pipelines.domain.model import Person, PersonKind
from tests.handlers.slack.conftest import Parts
from tests.support.front import Front
from tests.support.slack_fake import Slack, failing, user

ANA = Person(id="U1", name="whatever", slack="U1")


async def test_a_member_is_called_by_the_local_part_of_their_address(parts: Parts) -> None:
    assert await parts.doorman.person(ANA) == Person(id="U1", name="ana", slack="U1")


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"deleted": True}, PersonKind.DELETED),
        ({"is_bot": True}, PersonKind.BOT),
        ({"is_restricted": True}, PersonKind.GUEST),
        ({"is_ultra_restricted": True, "is_restricted": True}, PersonKind.GUEST),
        ({"team_id": "TOTHER"}, PersonKind.STRANGER),
        ({"team_id": None}, PersonKind.STRANGER),
        ({"is_stranger": True}, PersonKind.STRANGER),
        ({"team_id": "TORG", "enterprise_user": {"teams": ["T1"]}}, PersonKind.MEMBER),
    ],
)
async def test_every_kind_of_user_is_told_apart(
    parts: Parts, slack: Slack, more: dict[str, object], kind: PersonKind
) -> None:
    slack.users["U1"] = user("U1", "ana", **more)
    assert (await parts.doorman.person(ANA)).kind is kind


@pytest.mark.parametrize("kind", [PersonKind.STRANGER, PersonKind.UNKNOWN])
async def test_who_was_no_member_at_the_door_is_none_here(parts: Parts, slack: Slack, kind: PersonKind) -> None:
    assert (await parts.doorman.person(replace(ANA, kind=kind))).kind is kind
    assert slack.of("users.info") == []


async def test_somebody_whom_slack_does_not_know_or_tell_of_is_nobody(parts: Parts, slack: Slack) -> None:
    assert (await parts.doorman.person(replace(ANA, slack="U404"))).kind is PersonKind.UNKNOWN
    slack.fates["users.info"] = failing("internal_error", status=500)
    assert (await parts.doorman.person(ANA)).kind is PersonKind.UNSURE
    assert (await parts.doorman.person(ANA)).kind is PersonKind.MEMBER  # a failure is not remembered


async def test_a_user_is_asked_for_once_a_minute(parts: Parts, slack: Slack) -> None:
    for _ in range(5):
        await parts.doorman.person(ANA)
    assert len(slack.of("users.info")) == 1


def test_a_pinned_name_belongs_to_its_id_alone() -> None:
    people = {"ana": "U7", "boss": "U1"}
    assert name_of(user("U1", "ana"), people) == "boss"
    assert name_of(user("U2", "ana"), people) == "U2"
    assert name_of(user("U3", "mia"), people) == "mia"


def test_the_user_name_counts_only_where_there_is_no_address() -> None:
    assert name_of({"id": "U2", "name": "ana", "profile": {"email": "Raj.K@example.test"}}, {}) == "raj.k"
    assert name_of({"id": "U2", "name": "Ana", "profile": {"display_name": "boss"}}, {}) == "ana"
    assert name_of({"id": "U2"}, {}) == "U2"


@pytest.mark.parametrize(("name", "found"), [("raj", "U2"), ("U2", "U2"), ("lead", "U3")])
async def test_a_name_from_the_terminal_is_looked_up(parts: Parts, front: Front, name: str, found: str) -> None:
    front.config = replace(front.config, people={"lead": "U3"})
    assert (await parts.doorman.person(Person(id=name, name=name))).slack == found


async def test_a_name_that_nobody_has_is_nobody(parts: Parts) -> None:
    assert (await parts.doorman.person(Person(id="zoe", name="zoe"))).kind is PersonKind.UNKNOWN


async def test_a_group_is_its_members_by_id_and_by_pinned_name(parts: Parts, front: Front, slack: Slack) -> None:
    slack.groups = {"S1": ("oncall", ["U1", "U3"])}
    front.config = replace(front.config, people={"lead": "U3"})
    assert await parts.doorman.members("@oncall") == frozenset({"U1", "U3", "lead"})
    assert await parts.doorman.members("@nobody") is None
    slack.fates["usergroups.list"] = failing("missing_scope", times=9)
    assert await parts.doorman.members("@others") is None


@pytest.mark.parametrize(
    ("channel", "answer"),
    [
        ("C1", None),
        ("#deploys", None),
        ("C2", None),
        ("G1", "#secret"),
        ("C9", "#old"),
        ("C404", "C404"),
        ("#missing", "#missing"),
    ],
)
async def test_where_the_bot_cannot_post(parts: Parts, channel: str, answer: str | None) -> None:
    assert await parts.doorman.cannot_post(channel) == answer


@pytest.mark.parametrize("scopes", [None, "chat:write"])
async def test_a_public_channel_needs_an_invitation_without_the_right(
    parts: Parts, slack: Slack, scopes: str | None
) -> None:
    slack.scopes = scopes
    assert await parts.doorman.cannot_post("C2") == "#general"


async def test_a_slack_that_does_not_answer_blocks_no_deploy(parts: Parts, slack: Slack) -> None:
    slack.fates["conversations.info"] = failing("internal_error", status=503, times=9)
    assert await parts.doorman.cannot_post("C2") is None
