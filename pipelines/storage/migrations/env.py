"""Alembic's entry: our tables alone."""

from alembic import context
from sqlmodel import SQLModel

from pipelines.storage.migrations.filter import ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
