"""The ways in: start page, sign-up, sign-in, invitations."""

from portal.entry import sign_in, sign_up, start
from portal.entry.door import blueprint

__all__ = ["blueprint", "sign_in", "sign_up", "start"]
