"""Where the links of mails lead: the one place that knows the portals' paths."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from common.db.database import Organization
from common.ids import encode_id


class Links:
    """Addresses of pages. ``public_url`` is set once when a process starts (PUBLIC_URL)."""

    def __init__(self, public_url: str = "http://localhost:8000") -> None:
        self._public_url = public_url.rstrip("/")

    def use(self, public_url: str) -> None:
        """Lead to another host from now on."""
        self._public_url = public_url.rstrip("/")

    def member_page(self, organization: Organization, path: str = "") -> str:
        """A page of the Member Portal."""
        return f"{self._public_url}/portal/{organization.slug}/{path}"

    def invoice(self, organization: Organization, invoice_id: UUID | None) -> str:
        """An invoice as its customer sees it; the list without one."""
        return self.member_page(organization, _item("invoices", "inv", invoice_id))

    def booking(self, organization: Organization, booking_id: UUID) -> str:
        """A booking as its member sees it."""
        return self.member_page(organization, _item("bookings", "bkg", booking_id))

    def payment_methods(self, organization: Organization) -> str:
        """Where members look after their payment methods."""
        return self.member_page(organization, "payment-methods")

    def membership(self, organization: Organization) -> str:
        """Where members see their memberships."""
        return self.member_page(organization, "membership")

    def admin_page(self, path: str) -> str:
        """A page of the Admin Portal."""
        return f"{self._public_url}/admin/{path}"

    def admin_invoice(self, invoice_id: UUID | None) -> str:
        """An invoice as staff see it; the list without one."""
        return self.admin_page(_item("invoices", "inv", invoice_id))

    def admin_payment(self, payment_id: UUID) -> str:
        """A payment as staff see it; money is given back there."""
        return self.admin_page(_item("payments", "pay", payment_id))

    def admin_booking(self, booking_id: UUID) -> str:
        """A booking as staff see it."""
        return self.admin_page(_item("bookings", "bkg", booking_id))

    def sign_in(self, organization: Organization, token: str) -> str:
        """The door that a sign-in link opens."""
        return f"{self._public_url}/sign-in/link?organization={quote(organization.slug)}&token={quote(token, safe='')}"

    def invitation(self, organization: Organization, token: str) -> str:
        """The door that an invitation opens."""
        return f"{self._public_url}/invitation?organization={quote(organization.slug)}&token={quote(token, safe='')}"


def _item(collection: str, prefix: str, item_id: UUID | None) -> str:
    return f"{collection}/{encode_id(prefix, item_id)}" if item_id else collection


LINKS = Links()
