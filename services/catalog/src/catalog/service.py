"""The catalog service, assembled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.api import locations, pictures, plans, promo_codes, rates, resources, storefront
from catalog.config import CatalogSettings
from catalog.messages.handlers import handlers
from catalog.models import Base
from common.http import Blueprint
from common.service import Service
from contracts.subscriptions import ROUTING


def blueprints() -> Sequence[Blueprint]:
    """All routes of the service."""
    return (
        locations.blueprint,
        resources.blueprint,
        pictures.blueprint,
        rates.blueprint,
        plans.blueprint,
        promo_codes.blueprint,
        storefront.blueprint,
    )


SERVICE = Service(
    name="catalog",
    metadata=Base.metadata,
    migrations=Path(__file__).parents[2] / "migrations",
    settings_type=CatalogSettings,
    blueprints=blueprints,
    handlers=handlers,
    subscriptions=ROUTING,
)
