"""The first tables: journal, snapshots, asks, step claims, output, postings."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ask",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("surface", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("ask", schema=None) as batch_op:
        batch_op.create_index("ask_open", ["decided_at"], unique=False)
        batch_op.create_index("ask_unanswered", ["surface", "answered_at"], unique=False)

    op.create_table(
        "deploy",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("deploy", schema=None) as batch_op:
        batch_op.create_index("deploy_by_room", ["room", "at"], unique=False)
        batch_op.create_index("deploy_by_state", ["state"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stream", "seq"),
    )
    op.create_table(
        "output",
        sa.Column("deploy", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("deploy", "step", "attempt", "offset"),
    )
    op.create_table(
        "posting",
        sa.Column("deploy", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("surface", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=False),
        sa.Column("painted", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=False),
        sa.Column("posted_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("deploy", "kind", "surface"),
    )
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.create_index("posting_by_ts", ["channel", "ts"], unique=False)

    op.create_table(
        "step",
        sa.Column("deploy", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("work", sa.String(), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("claimed_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("report", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("deploy", "step", "attempt"),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index("step_open", ["host", "ended_at"], unique=False)

    op.create_table(
        "stream",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("stream")
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.drop_index("step_open")

    op.drop_table("step")
    with op.batch_alter_table("posting", schema=None) as batch_op:
        batch_op.drop_index("posting_by_ts")

    op.drop_table("posting")
    op.drop_table("output")
    op.drop_table("event")
    with op.batch_alter_table("deploy", schema=None) as batch_op:
        batch_op.drop_index("deploy_by_state")
        batch_op.drop_index("deploy_by_room")

    op.drop_table("deploy")
    with op.batch_alter_table("ask", schema=None) as batch_op:
        batch_op.drop_index("ask_unanswered")
        batch_op.drop_index("ask_open")

    op.drop_table("ask")
