"""Deploys know up to where they are painted, and are found by that and by who asked for them, of however many."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEHIND = sa.text("painted != seq")
FROM_POSTINGS = """
UPDATE deploy SET painted = coalesce((
    SELECT posting.seq FROM posting
    WHERE posting.deploy = deploy.id AND posting.kind = 'painted' AND posting.surface = 'slack'
), 0)
"""


def upgrade() -> None:
    with op.batch_alter_table("deploy", schema=None) as batch_op:
        batch_op.add_column(sa.Column("painted", sa.Integer(), nullable=False, server_default="0"))
    op.execute(FROM_POSTINGS)
    with op.batch_alter_table("deploy", schema=None) as batch_op:
        batch_op.create_index("deploy_by_person", ["by", "at"], unique=False)
        batch_op.create_index("deploy_behind", ["at"], unique=False, postgresql_where=BEHIND, sqlite_where=BEHIND)


def downgrade() -> None:
    with op.batch_alter_table("deploy", schema=None) as batch_op:
        batch_op.drop_index("deploy_behind")
        batch_op.drop_index("deploy_by_person")
        batch_op.drop_column("painted")
