"""The durable engine: DBOS keeps one workflow a deploy going until it is over. The one import of dbos.

A process that carries nothing out enqueues by the same class, and does not start it.

The workflow holds no truth: its one step walks the journal and may run again from its start. So nothing of a deploy is
lost with DBOS's tables, and a workflow begun by an older Shipmate is finished by this one.
"""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import chain, count

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import DBOSPortableJSONSerializer as Json
from dbos import error as dbos_error
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session

from pipelines.execution.driver import CarryOut, Gone
from pipelines.storage.database import sqlite_path
from pipelines.storage.errors import OlderSchemaError

log = logging.getLogger(__name__)

QUEUE = "deploys"
WORKFLOW = "carry_out"
POLL_SECONDS = 0.2
APPLICATION_VERSION = "1"  # a constant: a version of its own for every build would strand deploys at each upgrade
THREADS = 16
LOOK_AGAIN = 1.0  # at DBOS's own events, of which we use none: by itself it looks at them 100 times a second
NAP = 0.1  # of the thread in which it does so on SQLite

# What DBOS keeps of deploys that are over is left alone: `status` is asked for as its own index of the others says it.
OURS = " FROM {table} WHERE queue_name = :queue AND status IN ('ENQUEUED', 'PENDING')"
LIVE = "SELECT workflow_uuid, status, executor_id" + OURS
WAITING = "SELECT min(created_at)" + OURS + " AND status = 'ENQUEUED'"
TAKEN = "SELECT 1 FROM {table} WHERE workflow_uuid = :id"


def make_tables(url: str) -> None:
    """Create DBOS's tables in the database, or bring them up to date; safe while others do so."""
    if not sqlite_path(url):
        from pipelines.storage.connecting import parsed

        url = parsed(url).render_as_string(hide_password=False)
    DBOS.migrate(url)


class DurableEngine:
    """`executor` names this process to DBOS: the same at each start, so that a restart finds its own work, and nobody
    else's."""

    def __init__(self, url: str, *, executor: str = "local") -> None:
        self._url = url
        self._executor = executor
        self._table = "workflow_status" if sqlite_path(url) else "dbos.workflow_status"
        self._stopping = threading.Event()
        self._started = False
        self._client_engine = self._engine()
        self._client = DBOSClient(
            system_database_engine=self._client_engine, serializer=Json(), lazy=True, use_listen_notify=False
        )

    def _engine(self) -> Engine:
        if sqlite_path(self._url):
            return create_engine(self._url, hide_parameters=True)
        from pipelines.storage.connecting import patient_engine

        return patient_engine(self._url, self._stopping, size=THREADS)

    def check(self) -> None:
        """Raises OlderSchemaError when DBOS's tables on PostgreSQL have to be made or brought up to date first."""
        try:
            if not sqlite_path(self._url):
                self._client._sys_db.verify_migrations()
        except dbos_error.DBOSInitializationError:
            raise OlderSchemaError("The engine's tables are not up to date. Do that first: shipmate migrate") from None

    def enqueue(self, session: Session, deploy: str) -> None:
        """Begin the workflow of a deploy, as part of the caller's transaction."""
        self._enqueue(session, deploy, deploy)

    def _enqueue(self, session: Session, workflow: str, deploy: str) -> None:
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": WORKFLOW,
            "workflow_id": workflow,
            "app_version": APPLICATION_VERSION,
        }
        self._client.enqueue_in_transaction(session, options, deploy)

    async def start(self, carry_out: CarryOut) -> None:
        """Begin to carry out what is enqueued, and what a process before this one left. Call it in the running loop."""
        config: DBOSConfig = {
            "name": "shipmate",
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor,
            "serializer": Json(),
            "console_log_level": "ERROR",
            "max_executor_threads": THREADS,
            "notification_coalesce_sec": LOOK_AGAIN,
            "run_migrations": False,
        }
        if sqlite_path(self._url):
            config |= {"system_database_url": self._url, "run_migrations": True}
            config["notification_listener_polling_interval_sec"] = NAP  # whoever ends waits for one
        else:
            config |= {"system_database_engine": self._client_engine}
        DBOS(config=config)

        @DBOS.step(name="walk")
        async def walk(deploy: str) -> None:
            await carry_out(deploy)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=1_000_000)
        async def workflow(deploy: str) -> None:
            await walk(deploy)

        self._started = True
        DBOS.launch()  # here, not in a thread: workflows run in the loop that launches
        await DBOS.register_queue_async(QUEUE, polling_interval_sec=POLL_SECONDS, on_conflict="always_update")

    def stranded(self, session: Session, running: list[str], gone: Gone) -> list[str]:
        """Of the deploys that run, those that no live workflow carries out, or one of a host that is gone."""
        statement = text(LIVE.format(table=self._table))
        found = session.connection().execute(statement, {"queue": QUEUE}).all()
        dropped = {row.executor_id for row in found if row.status == "PENDING" and gone(session, row.executor_id)}
        live = [row for row in found if row.status != "PENDING" or row.executor_id not in dropped]
        held = {row.workflow_uuid.split(".", 1)[0] for row in live}
        return [deploy for deploy in running if deploy not in held]

    def waiting(self, session: Session, now: datetime) -> float:
        """Seconds for which the deploy that waits longest waits to be taken; 0 where none does."""
        oldest = text(WAITING.format(table=self._table))
        found = session.connection().execute(oldest, {"queue": QUEUE}).scalar()
        return max(0.0, now.timestamp() - found / 1000) if found is not None else 0.0

    def enqueue_again(self, session: Session, deploy: str) -> None:
        """Another try for a stranded deploy: an id that ended in an error never runs again."""
        taken, names = text(TAKEN.format(table=self._table)), (f"{deploy}.{number}" for number in count(1))
        free = (name for name in chain([deploy], names) if not session.connection().execute(taken, {"id": name}).all())
        self._enqueue(session, next(free), deploy)

    async def stop(self) -> None:
        """Let go of every workflow; each goes on after the next start."""
        self._stopping.set()
        if self._started:
            await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
            # DBOS made its threads the loop's own and has ended them
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        self._client_engine.dispose()
