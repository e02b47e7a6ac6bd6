"""People where there is no Slack: whoever reaches the socket is trusted."""

from handlers.terminal.identity import NoSlack
from pipelines.domain.model import Config, Person, PersonKind


async def test_everybody_is_a_full_member_and_nothing_is_posted() -> None:
    nobody = NoSlack(lambda: Config(people={"ana": "U1"}))
    zoe = await nobody.person(Person(id="zoe", name="zoe", kind=PersonKind.UNKNOWN))
    assert (zoe.kind, zoe.slack) == (PersonKind.MEMBER, None)
    assert (await nobody.person(Person(id="ana", name="ana"))).slack == "U1"
    assert await nobody.members("@other") is None
    assert await nobody.cannot_post("#deploys") is None
