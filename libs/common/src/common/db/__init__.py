"""Sessions bound to an organisation, plumbing tables, migrations."""

from common.db.database import Database, TenantSession
from common.db.mapping import MoneyColumns, TenantMixin, VersionMixin, make_base
from common.db.plumbing import install_plumbing, plumbing_metadata, protect_table

__all__ = [
    "Database",
    "MoneyColumns",
    "TenantMixin",
    "TenantSession",
    "VersionMixin",
    "install_plumbing",
    "make_base",
    "plumbing_metadata",
    "protect_table",
]
