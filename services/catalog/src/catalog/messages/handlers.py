"""What the catalog listens to: identity only."""

from __future__ import annotations

from common.messaging import Handlers
from contracts.identity import keep_identity_copies

handlers = Handlers()
keep_identity_copies(handlers)
