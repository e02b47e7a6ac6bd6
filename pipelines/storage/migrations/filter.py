"""Which tables are ours: the engine's in the same database are none of Alembic's business."""

from sqlmodel import SQLModel

from pipelines.storage import tables  # noqa: F401  (fills the metadata)


def ours(_object: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    return kind != "table" or name in SQLModel.metadata.tables
