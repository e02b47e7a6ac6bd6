"""The driver of deploys as the rest of Shipmate knows it: what is enqueued is carried out until it is over.

Two keep this promise, under one contract suite: `engine`, on DBOS, and the one that the tests simulate.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sqlmodel import Session

Gone = Callable[[Session, str], bool]
CarryOut = Callable[[str], Awaitable[None]]


class Driver(Protocol):
    def enqueue(self, session: Session, deploy: str) -> None:
        """Begin a deploy as part of the caller's transaction: it is carried out once that is committed, and never when
        it is not."""
        ...

    async def start(self, carry_out: CarryOut) -> None:
        """Carry out, in the running loop, what is enqueued and what a process before this one left unfinished. A deploy
        may be carried out from its beginning more than once."""
        ...

    def stranded(self, session: Session, running: list[str], gone: Gone) -> list[str]:
        """Of the deploys that run those that nobody will carry out: never enqueued, forgotten, ended in an error, or in
        the hands of a host that is gone."""
        ...

    def enqueue_again(self, session: Session, deploy: str) -> None:
        """Another try for a stranded deploy, under an id of its own: one that ended in an error never runs again."""
        ...

    async def stop(self) -> None:
        """Let go of what is carried out; it goes on after the next start."""
        ...
