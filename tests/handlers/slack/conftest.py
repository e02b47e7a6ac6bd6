"""A front desk over a real database, a Slack that is small and real, and the door between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from handlers.slack import api
from handlers.slack.budget import Budgets
from handlers.slack.channels import Channels
from handlers.slack.identity import SlackDoorman
from handlers.slack.private import Private
from handlers.slack.workspace import Workspace
from tests.support.front import Front, opened
from tests.support.slack_fake import Slack, running, user


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    slack = Slack()
    slack.users = {"U1": user("U1", "ana"), "U2": user("U2", "raj"), "U3": user("U3", "mia")}
    slack.channels = {
        "C1": {"id": "C1", "name": "deploys", "is_member": True},
        "C2": {"id": "C2", "name": "general", "is_member": False},
        "G1": {"id": "G1", "name": "secret", "is_member": False, "is_private": True},
        "C9": {"id": "C9", "name": "old", "is_member": True, "is_archived": True},
    }
    async with running(slack):
        yield slack


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Parts:
    """The parts of the door that speak to Slack, put together as the door does."""

    def __init__(self, slack: Slack, session: aiohttp.ClientSession, front: Front) -> None:
        self.budgets = Budgets()
        self.web = api.client("xoxb-1", f"{slack.url}api/", session, budgets=self.budgets, patient=True)
        self.painting_web = api.client("xoxb-1", f"{slack.url}api/", session, budgets=self.budgets, patient=False)
        self.workspace = Workspace(self.web)
        self.channels = Channels(self.web, self.workspace)
        self.doorman = SlackDoorman(self.web, self.workspace, self.channels, lambda: front.config)
        self.private = Private(self.web, session)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Front]:
    async with opened(tmp_path) as front:
        yield front


@pytest.fixture
def parts(slack: Slack, session: aiohttp.ClientSession, front: Front) -> Parts:
    parts = Parts(slack, session, front)
    front.doorman.real = parts.doorman
    return parts
