"""What people look at where a million deploys are remembered, beside hand-written SQL for the same answer; and what the
past costs who starts a bot, or deploys once more where most was deployed."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bot.parts import Ground, front_desk, utc_now
from bot.settings import Settings
from handlers.terminal.identity import NoSlack
from pipelines.catalog import ConfigFile
from pipelines.domain.commands import History, Look, Recent, Status, Who
from pipelines.domain.model import Person, room_name
from pipelines.execution.engine import DurableEngine
from pipelines.execution.source import Source
from pipelines.shipmate import Refusal, Shipmate
from pipelines.storage.database import Database, sqlite_path
from tests.bench import filling
from tests.bench.beginning import imports
from tests.bench.figures import Row, median, percentile
from tests.bench.filling import ENVIRONMENTS, ROOMS, SERVICES
from tests.bench.machine import load
from tests.bench.stage import Stage, deployable, on_stage
from tests.support import postgres
from tests.support.service import Service

SLOWER = 2.0
MOST = 100.0  # milliseconds, at p99
ANA = Person(id="ana", name="ana")
SERVICE, ENVIRONMENT = ROOMS[0]
BUSIEST = room_name(SERVICE, ENVIRONMENT)
OVER_SECONDS = 30.0

Parameters = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Question:
    """`sql` gives the same answer, by hand: what the answer shows and nothing else. `%` is where a parameter goes."""

    what: str
    look: Look
    sql: str
    parameters: Parameters
    times: int


def _newest(rooms: Sequence[str], limit: int, columns: str) -> tuple[str, Parameters]:
    """The newest deploys of some rooms, by hand: of each room no more than can be among them."""
    each = f"SELECT * FROM (SELECT {columns} FROM deploy WHERE room = % ORDER BY at DESC LIMIT {limit}) r"
    return " UNION ALL ".join([each] * len(rooms)), tuple(rooms)
