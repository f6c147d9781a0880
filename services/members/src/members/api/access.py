"""What several views need: the service's settings."""

from __future__ import annotations

from flask import current_app

from members.config import MembersSettings


def current_settings() -> MembersSettings:
    """The settings of the running app."""
    settings: MembersSettings = current_app.extensions["settings"]
    return settings
