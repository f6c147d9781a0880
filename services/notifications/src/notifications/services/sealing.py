"""Webhook secrets at rest: sealed with the installation's secret, and anew after it was changed."""

from __future__ import annotations

from functools import lru_cache

import structlog
from sqlalchemy import select

from common.db import Database
from common.errors import UnavailableError
from common.sealing import ForeignSecretError, Seal
from notifications.config import NotificationsSettings
from notifications.models import WebhookEndpoint

logger = structlog.get_logger(__name__)
_PURPOSE = "deskledger webhook secrets"


def seal(secrets: tuple[str, ...], text: str) -> bytes:
    """Encrypt for the database. Raises UnavailableError without DESKLEDGER_SECRET."""
    return _seal(secrets).seal(text.encode())


def unseal(secrets: tuple[str, ...], sealed: bytes) -> str:
    """Read back what `seal` made with any of the secrets. Raises UnavailableError when it was another one."""
    try:
        return _seal(secrets).open(sealed).decode()
    except ForeignSecretError as error:
        raise UnavailableError("secret_changed", "DESKLEDGER_SECRET is not the one this was encrypted with") from error


def reseal_secrets(database: Database, settings: NotificationsSettings) -> None:
    """Seal every endpoint's secret under the newest of the installation's; runs with each migration.

    Those that no secret opens are left and logged: their endpoints need new ones.
    """
    if not settings.secret:
        return
    sealed = _seal(settings.secrets)
    with database.system_session() as session:
        for endpoint in session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id).with_for_update()):
            try:
                endpoint.sealed_secret = sealed.resealed(endpoint.sealed_secret) or endpoint.sealed_secret
            except ForeignSecretError:
                logger.error("webhook_endpoint_unusable", endpoint=str(endpoint.id))
        session.commit()


@lru_cache(maxsize=8)
def _seal(secrets: tuple[str, ...]) -> Seal:
    if not secrets[0]:
        raise UnavailableError("secret_not_configured", "set DESKLEDGER_SECRET: it encrypts webhook secrets")
    return Seal(secrets, _PURPOSE)
