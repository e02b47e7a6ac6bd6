"""No question that is asked all the time reads a whole table, on SQLite and on PostgreSQL alike."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event
from sqlmodel import Session

from pipelines.execution.engine import DurableEngine, make_tables
from pipelines.storage import asks, connecting, deploys, figures, postings, steps
from pipelines.storage.steps import StepKey

KEY = StepKey(deploy="d1", step="001-install", attempt=1)
QUESTIONS: dict[str, Callable[[Session], object]] = {
    "a room and its deploys": lambda session: deploys.state(session, "api", "staging"),
    "some rooms": lambda session: deploys.rooms(session, [("api", "staging"), ("api", "production")]),
    "history of a service": lambda session: deploys.of_rooms(session, [("api", "staging"), ("api", "production")], 10),
    "who deployed": lambda session: deploys.askers(session, [("api", "staging")], 10),
    "the newest deploys": lambda session: list(deploys.newest(session, 50)),
    "a person's deploys": lambda session: deploys.latest_of(session, "U1"),
    "what runs": deploys.running,
    "what is not painted": deploys.unpainted,
    "the messages of a deploy": lambda session: postings.of(session, "d1", "slack"),
    "the deploy of a message": lambda session: postings.by_message(session, "C1", "1.2"),
    "an ask's answer": lambda session: asks.outcome(session, "a1"),
    "what is not decided": asks.undecided,
    "what is not answered": lambda session: asks.unanswered(session, "slack", (), 50),
    "a host's steps": lambda session: steps.open_claims(session, "local"),
    "a step's end": lambda session: steps.ending(session, KEY),
    "how much was printed": lambda session: steps.output_end(session, KEY),
    "what was printed": lambda session: steps.pieces(session, "d1"),
    "what is counted": lambda session: figures.figures(session, "slack"),
    "what was printed last": lambda session: steps.last_pieces(session, "d1", 1000),
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url) if database_url.startswith("sqlite") else connecting.engine(database_url)
    yield made
    made.dispose()


def plan(engine: Engine, statement: str, parameters: Any) -> str:
    """How the database would answer; on PostgreSQL if it had so many rows that an index is worth while."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if not sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{statement}", parameters)
        return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_table_is_read_whole(engine: Engine, question: str) -> None:
    check(engine, QUESTIONS[question])


def test_the_engine_reads_no_table_whole(engine: Engine, database_url: str) -> None:
    make_tables(database_url)
    durable = DurableEngine(database_url)
    check(engine, lambda session: durable.stranded(session, ["d1"], lambda *_: False))
    check(engine, lambda session: durable.waiting(session, datetime.now(UTC)))


def check(engine: Engine, question: Callable[[Session], object]) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    with Session(engine) as session:
        question(session)
    event.remove(engine, "before_cursor_execute", note)
    assert asked
    for statement, parameters in asked:
        found = plan(engine, statement, parameters)
        whole = [line for line in found.splitlines() if "Seq Scan" in line or line.startswith("SCAN ")]
        assert not [line for line in whole if "USING" not in line and "anon_" not in line], f"{statement}\n{found}"
