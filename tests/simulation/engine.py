"""A driver of deploys without threads and without a clock: a table in the same database, and tasks of the running loop.

What it promises is what DBOS does, and `tests/contracts` holds both to it."""

import asyncio
import logging
from functools import partial

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pipelines.execution.driver import CarryOut, Gone
from pipelines.storage.database import Database, heard

log = logging.getLogger(__name__)

LOOK_AGAIN, AGAIN = 30.0, 1.0
TABLE = "CREATE TABLE IF NOT EXISTS simulated_workflow (id TEXT PRIMARY KEY, deploy TEXT NOT NULL, state TEXT NOT NULL)"
INSERT = text("INSERT INTO simulated_workflow VALUES (:id, :deploy, 'open') ON CONFLICT DO NOTHING")
OPEN = text("SELECT id, deploy FROM simulated_workflow WHERE state = 'open' ORDER BY rowid")
TRIES = text("SELECT count(*) FROM simulated_workflow WHERE deploy = :deploy")
END = text("UPDATE simulated_workflow SET state = :state WHERE id = :id")


def make_table(session: Session) -> None:
    session.connection().execute(text(TABLE))


class SimulatedEngine:
    """Its table must be there: `make_table`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._carry_out: CarryOut

    def enqueue(self, session: Session, deploy: str) -> None:
        self._insert(session, deploy, deploy)

    def _insert(self, session: Session, workflow: str, deploy: str) -> None:
        session.connection().execute(INSERT, {"id": workflow, "deploy": deploy})
        event.listen(session, "after_commit", self._tell, once=True)

    def _tell(self, _session: Session) -> None:
        """From the thread of the transaction."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    async def start(self, carry_out: CarryOut) -> None:
        self._carry_out = carry_out
        self._loop = asyncio.get_running_loop()
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            self._told.clear()
            try:
                found = await self._database.read(_open)
            except DBAPIError:
                await asyncio.sleep(AGAIN)
                continue
            for workflow, deploy in found:
                if workflow not in self._tasks:
                    self._tasks[workflow] = asyncio.create_task(self._run(workflow, deploy))
            await heard(self._told, LOOK_AGAIN)

    async def _run(self, workflow: str, deploy: str) -> None:
        try:
            await self._end_as(workflow, await self._ending(workflow, deploy))
        finally:
            del self._tasks[workflow]

    async def _ending(self, workflow: str, deploy: str) -> str:
        try:
            await self._carry_out(deploy)
        except Exception:
            log.warning("the workflow %s ended in an error", workflow, exc_info=True)
            return "error"
        return "done"

    async def _end_as(self, workflow: str, state: str) -> None:
        while True:
            try:
                await self._database.write(partial(_end, workflow, state))
                return
            except DBAPIError:
                await asyncio.sleep(AGAIN)

    def deliver_again(self, deploy: str) -> None:
        """Carry a deploy out once more beside whoever does so: what a driver may do that took somebody for dead."""
        workflow = f"{deploy} again {len(self._tasks)}"
        self._tasks[workflow] = asyncio.create_task(self._run(workflow, deploy))

    def stranded(self, session: Session, running: list[str], gone: Gone) -> list[str]:
        left = gone(session, "simulated")
        found = {deploy for workflow, deploy in _open(session) if not left or workflow not in self._tasks}
        return [deploy for deploy in running if deploy not in found]

    def enqueue_again(self, session: Session, deploy: str) -> None:
        tries = session.connection().execute(TRIES, {"deploy": deploy}).scalar() or 0
        self._insert(session, f"{deploy}.{tries}" if tries else deploy, deploy)

    async def stop(self) -> None:
        tasks = [task for task in (self._watching, *self._tasks.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._loop = None


def _open(session: Session) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in session.connection().execute(OPEN)]


def _end(workflow: str, state: str, session: Session, _topics: set[str]) -> None:
    session.connection().execute(END, {"id": workflow, "state": state})
