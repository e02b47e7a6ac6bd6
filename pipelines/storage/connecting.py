"""Connecting to PostgreSQL: its URL in every spelling, limits of time for all that is asked of it, and waiting for one
that is away. A password that stands in the URL is shown to nobody."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url

from pipelines.storage.errors import UnreachableError

CONNECT_SECONDS = 5
ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
LIMITS: Mapping[str, str] = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
AGAIN = 0.5
ADVICE = "Start the server, or mend DATABASE_URL."

# A server that refuses with other words does so until somebody mends something. The driver gives no code to go by.
TEMPORARY = ("starting up", "shutting down", "recovery", "too many clients", "connection slots")


class StoppingError(Exception):
    """There is no connection any more: the process ends."""


def parsed(url: str) -> URL:
    """The URL as SQLAlchemy wants it, whether it begins with postgres:, postgresql: or postgresql+psycopg:."""
    return make_url(url).set(drivername="postgresql+psycopg")


def shown(url: str) -> str:
    """The database's name for people and logs: no password, and nothing that may hold one."""
    made = parsed(url)
    return URL.create("postgresql", made.username, None, made.host, made.port, made.database).render_as_string()


def arguments(url: str, settings: Mapping[str, str] = LIMITS) -> dict[str, Any]:
    """What the driver is given: what stands in the URL, limits of time where it sets none, settings of the session."""
    made = parsed(url)
    _, given = made.get_dialect()().create_connect_args(made)
    ours = {"connect_timeout": CONNECT_SECONDS, "application_name": "shipmate", **ALIVE}
    options = " ".join([*(f"-c {name}={value}" for name, value in settings.items()), str(given.get("options", ""))])
    return {**ours, **given, "options": options}


def engine(url: str, settings: Mapping[str, str] = LIMITS, **more: Any) -> Engine:
    """An engine without connections to spare: whoever is one too many waits. It does not look whether one still works
    before it lends it, which would be a round trip each time: whoever uses it tries again."""
    return create_engine(
        parsed(url),
        connect_args=arguments(url, settings),
        max_overflow=0,
        hide_parameters=True,
        **more,
    )


def patient_engine(url: str, stopping: threading.Event, *, size: int) -> Engine:
    """An engine for those who would else wait longer and longer for a server that is away: its connections come when
    the server is back, or fail with StoppingError once `stopping` is set."""
    made = engine(url, pool_size=size, pool_timeout=24 * 3600, pool_pre_ping=True)

    def connect(_dialect: object, _record: object, args: list[Any], more: dict[str, Any]) -> psycopg.Connection[Any]:
        while not stopping.is_set():
            try:
                return psycopg.connect(*args, **more)
            except psycopg.OperationalError:
                stopping.wait(AGAIN)
        raise StoppingError("the process ends")

    event.listen(made, "do_connect", connect)
    return made


async def wait_for(url: str, seconds: float, say: Callable[[str], None]) -> None:
    """Wait until the database answers. `say` is told once what is waited for. Raises UnreachableError when it does not
    in time, or at once when somebody must mend something first."""
    until, said = time.monotonic() + seconds, False
    while (why := await _refusal(url)) is not None:
        if "FATAL:" in why and not any(word in why for word in TEMPORARY):
            raise UnreachableError(f"{shown(url)} refuses: {why}. Mend DATABASE_URL, or the server.")
        if time.monotonic() > until:
            waited = f" for {seconds:g} s" if seconds else ""
            raise UnreachableError(f"{shown(url)} did not answer{waited}: {why}. {ADVICE}")
        if not said:
            said = True
            say(f"Waiting for the database {shown(url)}, at most {seconds:g} s: {why}")
        await asyncio.sleep(AGAIN)


async def _refusal(url: str) -> str | None:
    """Why there is no connection; None when there is."""
    try:
        connection = await psycopg.AsyncConnection.connect(**arguments(url))
    except psycopg.OperationalError as error:
        return reason(error)
    await connection.close()
    return None


def reason(error: BaseException | None) -> str:
    """What the driver says, on one line. It never says a password."""
    return " ".join(str(error).split())
