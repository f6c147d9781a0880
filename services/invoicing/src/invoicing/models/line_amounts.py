"""What lines of invoices and of credit notes have in common: their amounts as money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.money import Money


class LineAmounts:
    """Views of a line's columns."""

    if TYPE_CHECKING:
        currency: Any
        net_minor: Any
        tax_minor: Any
        total_minor: Any
        taxes: Any

    @property
    def net(self) -> Money:
        """Before tax, after all discounts."""
        return Money(self.net_minor, self.currency)

    @property
    def tax(self) -> Money:
        """All its taxes."""
        return Money(self.tax_minor, self.currency)

    @property
    def tax_parts(self) -> list[dict[str, Any]]:
        """Each of its taxes with the amount it takes."""
        return [{**tax, "tax": Money(tax["amount_minor"], self.currency)} for tax in self.taxes]

    @property
    def total(self) -> Money:
        """With tax."""
        return Money(self.total_minor, self.currency)
