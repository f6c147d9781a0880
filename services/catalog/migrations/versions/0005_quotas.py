"""Booking policies name their quotas in one way: a list.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Turn the one quota of hours into a list of one."""
    op.execute("""
        UPDATE resource SET booking_policy = (booking_policy - 'quota') || jsonb_build_object('quotas',
          jsonb_build_array(jsonb_build_object('per', booking_policy -> 'quota' -> 'per', 'unit', 'hours',
                                               'limit', booking_policy -> 'quota' -> 'hours')))
        WHERE booking_policy ? 'quota'
    """)
