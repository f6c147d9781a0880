"""After the secret was changed: credentials are sealed anew, so that the old secret can be forgotten (PAY-6)."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from common.db import Database
from common.errors import UnavailableError
from payments.config import PaymentsSettings
from payments.models import Gateway
from payments.services.vault import Vault

logger = structlog.get_logger(__name__)


def reseal_credentials(database: Database, settings: PaymentsSettings) -> None:
    """Seal every gateway's credentials under the newest secret; runs with each migration.

    Those that no secret opens are left and logged: their gateways need new credentials.
    """
    vault = Vault(*settings.secrets)
    with database.system_session() as session:
        sealed = select(Gateway).where(Gateway.credentials.is_not(None)).order_by(Gateway.id)
        for gateway in session.scalars(sealed.with_for_update()):
            try:
                gateway.credentials = vault.resealed(gateway.credentials or b"") or gateway.credentials
            except UnavailableError as error:
                logger.error("gateway_unusable", gateway=str(gateway.id), code=error.code)
        session.commit()
