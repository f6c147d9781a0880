"""Who is asking: access tokens, principals and roles."""

from common.auth.access import Principal, Role, allow, current_principal, public
from common.auth.tokens import AUDIENCE, ISSUER, read_token

__all__ = ["AUDIENCE", "ISSUER", "Principal", "Role", "allow", "current_principal", "public", "read_token"]
