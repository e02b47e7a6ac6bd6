"""The index of open steps holds these alone, so that those of all hosts are counted by it, of however many steps."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.drop_index("step_open")
        batch_op.create_index("step_open", ["host"], unique=False, postgresql_where=OPEN, sqlite_where=OPEN)


def downgrade() -> None:
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.drop_index("step_open")
        batch_op.create_index("step_open", ["host", "ended_at"], unique=False)
