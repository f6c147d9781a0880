"""``notifications admin read-bounce``."""

from __future__ import annotations

import os
from typing import BinaryIO

import click
from rich.console import Console
from sqlalchemy import select

from common.config import load_settings
from common.db import Database
from common.ids import encode_id
from notifications.config import NotificationsSettings
from notifications.mail.bounces import Bounce, read_bounce
from notifications.models import Notification
from notifications.services.resending import find_notification, record_bounce

console = Console()


@click.command("read-bounce")
@click.argument("report", type=click.File("rb"), default="-")
def read_bounce_command(report: BinaryIO) -> None:
    """Take in a mail server's delivery report (RFC 3464): a file, or standard input as from an alias of Postfix.

    What is no report about a mail of ours is passed over, with status 0: a mail server would send it back to itself.
    """
    bounce = read_bounce(report.read())
    if bounce is None:
        console.print("no report of a failure of ours")
        return
    database = Database(load_settings(NotificationsSettings, os.environ).database_url)
    try:
        known = note_bounce(database, bounce)
    finally:
        database.dispose()
    kind = "for good" if bounce.permanent else "for now"
    told = f"{encode_id('ntf', bounce.notification_id)} came back {kind}: {bounce.reason}"
    console.print(told if known else "no such notification", markup=False)


def note_bounce(database: Database, bounce: Bounce) -> bool:
    """Record a bounce in the organisation that it belongs to; False when there is no such notification any more."""
    with database.system_session() as session:
        whose = select(Notification.organization_id).where(Notification.id == bounce.notification_id)
        organization_id = session.scalar(whose)
    if organization_id is None:
        return False
    with database.session(organization_id) as session:
        row = find_notification(session, bounce.notification_id, lock=True)
        record_bounce(session, row, bounce.reason, permanent=bounce.permanent)
        session.commit()
    return True
