"""The durable engine: DBOS keeps one workflow a deploy going until it is over. The one import of dbos.

The workflow holds no truth: its one step walks the journal and may run again from its start. So nothing of a deploy is
lost with DBOS's tables, and a workflow begun by an older Shipmate is finished by this one.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions
from dbos import DBOSPortableJSONSerializer as Json
from sqlalchemy import Engine, create_engine, text
from sqlmodel import Session

from pipelines.execution.driver import CarryOut
from pipelines.storage.database import sqlite_path

log = logging.getLogger(__name__)

QUEUE = "deploys"
WORKFLOW = "carry_out"
POLL_SECONDS = 0.2
APPLICATION_VERSION = "1"  # a constant: a version of its own for every build would strand deploys at each upgrade
THREADS = 16
LIVE = "SELECT workflow_uuid FROM {table} WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED') AND name = :name"

TRIES = "SELECT count(*) FROM {table} WHERE workflow_uuid = :id OR workflow_uuid LIKE :more"


class DurableEngine:
    """`executor` names this process to DBOS: on SQLite a constant, so that a restart finds its own work."""

    def __init__(self, url: str, *, executor: str = "local") -> None:
        self._url = url
        self._executor = executor
        self._table = "workflow_status" if sqlite_path(url) else "dbos.workflow_status"
        self._client_engine: Engine = create_engine(url)
        self._client = DBOSClient(
            system_database_engine=self._client_engine, serializer=Json(), lazy=True, use_listen_notify=False
        )

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
        if (path := sqlite_path(self._url)) is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        config: DBOSConfig = {
            "name": "shipmate",
            "system_database_url": self._url,
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor,
            "serializer": Json(),
            "console_log_level": "ERROR",
            "max_executor_threads": THREADS,
        }
        DBOS(config=config)

        @DBOS.step(name="walk")
        async def walk(deploy: str) -> None:
            await carry_out(deploy)

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=1_000_000)
        async def workflow(deploy: str) -> None:
            await walk(deploy)

        DBOS.launch()  # here, not in a thread: workflows run in the loop that launches
        await DBOS.register_queue_async(QUEUE, polling_interval_sec=POLL_SECONDS, on_conflict="always_update")

    def stranded(self, session: Session, running: list[str]) -> list[str]:
        """Of the deploys that run, those that no live workflow carries out."""
        live = text(LIVE.format(table=self._table))
        found = {row[0].split(".", 1)[0] for row in session.connection().execute(live, {"name": WORKFLOW})}
        return [deploy for deploy in running if deploy not in found]

    def enqueue_again(self, session: Session, deploy: str) -> None:
        """Another try for a stranded deploy: an id that ended in an error never runs again."""
        tries = text(TRIES.format(table=self._table))
        count = session.connection().execute(tries, {"id": deploy, "more": f"{deploy}.%"}).scalar() or 0
        self._enqueue(session, f"{deploy}.{count}" if count else deploy, deploy)

    async def stop(self) -> None:
        """Let go of every workflow; each goes on after the next start."""
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=0)
        # DBOS made its threads the loop's own and has ended them
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        self._client_engine.dispose()
