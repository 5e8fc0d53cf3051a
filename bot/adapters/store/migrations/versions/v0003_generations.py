"""An execution may have to sign more than once: its signed transactions have generations.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", sa.Column("generation", sa.Integer(), nullable=False, server_default="0"))
