"""``members admin``: rotation and revocation of the signing keys."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from common.config import load_settings
from common.db import Database
from members.config import MembersSettings
from members.services.signing_keys import ensure_first_key, revoke_keys, rotate_keys


def prepare(database: Database, settings: MembersSettings) -> None:
    """After each migration: the first signing key."""
    ensure_first_key(database, settings.secrets)


@click.command("rotate-keys")
@click.option("--use-in", default=600, show_default=True, help="Seconds until the new key signs.")
def rotate_keys_command(use_in: int) -> None:
    """Publish a new signing key, use it after a while, and let the old one end after its last token."""
    settings = load_settings(MembersSettings, os.environ)
    kid = rotate_keys(
        Database(settings.database_url),
        settings.secrets,
        use_in=timedelta(seconds=use_in),
        lifetime=timedelta(seconds=settings.access_token_seconds),
    )
    click.echo(f"the key {kid} signs in {use_in} seconds")


@click.command("revoke-keys")
@click.confirmation_option(prompt="Every access token ends at once. Go on?")
def revoke_keys_command() -> None:
    """After a leak: end all signing keys now. Clients get new access tokens with their refresh tokens."""
    settings = load_settings(MembersSettings, os.environ)
    kid = revoke_keys(Database(settings.database_url), settings.secrets)
    click.echo(f"only the key {kid} is valid now")


COMMANDS = (rotate_keys_command, revoke_keys_command)
