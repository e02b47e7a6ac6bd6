"""Alembic's entry: our tables alone; the engine's tables in the same database are none of its business."""

from alembic import context
from sqlmodel import SQLModel

from pipelines.storage import tables  # noqa: F401  (fills the metadata)


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    return kind != "table" or name in SQLModel.metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
