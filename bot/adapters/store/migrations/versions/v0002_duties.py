"""An incident's life: who leads it, its checklist, its deadlines, its post-mortem.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("acknowledged_at", sa.DateTime(timezone=True)),
        sa.Column("lead", sa.String()),
        sa.Column("resolution", sa.String(), nullable=False, server_default=""),
        sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="0"),
    )
    for column in columns:
        op.add_column("incidents", column)
    op.create_table(
        "ticks",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_ticks_incident_id"),
        sa.PrimaryKeyConstraint("position", name="pk_ticks"),
        sa.UniqueConstraint("incident_id", "item", name="uq_ticks_incident_id_item"),
    )
    op.create_index("ix_ticks_incident_id", "ticks", ["incident_id"], unique=False)
    op.create_table(
        "deadlines",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("incident_id", sa.String()),
        sa.Column("signal_key", sa.String()),
        sa.Column("channel", sa.String()),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_deadlines_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deadlines"),
    )
    for name in ("incident_id", "signal_key", "state"):
        op.create_index(f"ix_deadlines_{name}", "deadlines", [name], unique=False)
    op.create_table(
        "postmortems",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("parts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("done_by", sa.String()),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_postmortems_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_postmortems"),
    )
