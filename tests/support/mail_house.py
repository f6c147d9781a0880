"""The organisation in whose name the tests of mails write."""

from __future__ import annotations

from common.db.database import Organization
from common.ids import new_id

HOUSE = Organization(
    id=new_id(),
    slug="harbour",
    name="Harbour & Works",
    country="DE",
    currency="EUR",
    timezone="Europe/Berlin",
    language="en",
    mode="live",
    profile={"email": "desk@harbour.example", "address": {"street": "Kai 1", "city": "Hamburg"}},
    clock_now=None,
    version=1,
    clock_version=1,
)
