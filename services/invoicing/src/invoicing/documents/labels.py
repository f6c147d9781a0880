"""Words on documents, in the languages that documents speak."""

from __future__ import annotations

import re

_LABELS = {
    "en": {
        "invoice": "Invoice",
        "credit_note": "Credit note",
        "number": "Number",
        "issue_date": "Date",
        "due_date": "Due",
        "for_invoice": "For invoice",
        "purchase_order": "Your reference",
        "customer_vat": "Your VAT number",
        "description": "Description",
        "quantity": "Quantity",
        "unit_price": "Price",
        "tax": "Tax",
        "amount": "Amount",
        "lines_total": "Sum of lines",
        "discount": "Discount",
        "subtotal": "Subtotal",
        "tax_total": "Tax",
        "included_tax": "of which tax",
        "total": "Total",
        "paid": "Paid",
        "credited": "Credited",
        "payable": "To pay",
        "taxes": "Taxes",
        "taxable": "Net",
        "rate": "Rate",
        "page": "Page",
        "how_to_pay": "How to pay",
        "pay_by": "Please pay {amount} by {date}, quoting {number}.",
        "collected": "{amount} will be charged to your payment method on {date}. There is nothing for you to do.",
        "nothing_to_pay": "There is nothing to pay.",
        "was_void": "This invoice was voided. There is nothing to pay.",
        "notes": "Notes",
        "reason": "Reason",
        "vat_number": "VAT number",
        "tax_number": "Tax number",
        "off": "less {percent}",
        "state_paid": "Paid",
        "state_void": "Void",
        "state_processing": "Payment under way",
        "state_partially_paid": "Partly paid",
        "state_failed": "Payment failed",
        "state_refunded": "Refunded",
        "state_unpaid": "Open",
        "state_uncollectible": "Open",
    },
    "de": {
        "invoice": "Rechnung",
        "credit_note": "Gutschrift",
        "number": "Nummer",
        "issue_date": "Datum",
        "due_date": "Fällig",
        "for_invoice": "Zu Rechnung",
        "purchase_order": "Ihre Referenz",
        "customer_vat": "Ihre USt-IdNr.",
        "description": "Beschreibung",
        "quantity": "Menge",
        "unit_price": "Preis",
        "tax": "Steuer",
        "amount": "Betrag",
        "lines_total": "Summe der Positionen",
        "discount": "Rabatt",
        "subtotal": "Zwischensumme",
        "tax_total": "Steuer",
        "included_tax": "davon Steuer",
        "total": "Gesamtbetrag",
        "paid": "Bezahlt",
        "credited": "Gutgeschrieben",
        "payable": "Zu zahlen",
        "taxes": "Steuern",
        "taxable": "Netto",
        "rate": "Satz",
        "page": "Seite",
        "how_to_pay": "Zahlung",
        "pay_by": "Bitte zahlen Sie {amount} bis zum {date} unter Angabe von {number}.",
        "collected": "{amount} werden am {date} mit Ihrer Zahlungsmethode eingezogen. Sie müssen nichts tun.",
        "nothing_to_pay": "Es ist nichts zu zahlen.",
        "was_void": "Diese Rechnung wurde storniert. Es ist nichts zu zahlen.",
        "notes": "Hinweise",
        "reason": "Grund",
        "vat_number": "USt-IdNr.",
        "tax_number": "Steuernummer",
        "off": "abzüglich {percent}",
        "state_paid": "Bezahlt",
        "state_void": "Storniert",
        "state_processing": "Zahlung unterwegs",
        "state_partially_paid": "Teilweise bezahlt",
        "state_failed": "Zahlung fehlgeschlagen",
        "state_refunded": "Erstattet",
        "state_unpaid": "Offen",
        "state_uncollectible": "Offen",
    },
}


# What we say by ourselves is stored in English, for the API and the books; people read it in their language.
_PHRASES = {
    "de": (
        (r"(\d+) of (\d+) days unused", r"\1 von \2 Tagen nicht genutzt"),
        (r"(\d+) of (\d+) days more", r"\1 von \2 Tagen zusätzlich"),
        (r"(\d+) of (\d+) days", r"\1 von \2 Tagen"),
        (r"full (\d+) weeks", r"volle \1 Wochen"),
        (r"full (\d+) months", r"volle \1 Monate"),
        (r"full (\d+) years", r"volle \1 Jahre"),
        ("full week", "volle Woche"),
        ("full month", "voller Monat"),
        ("full year", "volles Jahr"),
        ("not prorated", "nicht anteilig"),
        (r"(\d+) paused", r"\1 pausiert"),
        (r"(\d+)\.(\d+) % off", r"\1,\2 % Nachlass"),
        (r"(\d+) % off", r"\1 % Nachlass"),
        ("once, at the start", "einmalig, zu Beginn"),
        ("once, refundable", "einmalig, wird zurückgezahlt"),
        ("membership ended", "Mitgliedschaft beendet"),
        ("membership paused", "Mitgliedschaft pausiert"),
        ("membership resumed", "Mitgliedschaft fortgesetzt"),
        ("booking changed", "Buchung geändert"),
        ("amended", "geändert"),
        ("Exempt from tax", "Steuerfrei"),
        ("Reverse charge", "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge)"),
        ("Intra-community supply", "Innergemeinschaftliche Lieferung"),
        ("Export outside the EU", "Ausfuhr in ein Drittland"),
        ("Not subject to tax", "Nicht steuerbar"),
        ("Refundable deposit", "Kaution, wird zurückgezahlt"),
    ),
}
_PATTERNS = {
    language: tuple((re.compile(rf"(?<!\w){pattern}(?!\w)"), words) for pattern, words in phrases)
    for language, phrases in _PHRASES.items()
}


def translated(language: str, text: str) -> str:
    """One of our own phrases in a language: ``17 of 28 days`` is ``17 von 28 Tagen``; other texts stay as they are."""
    for pattern, words in _PATTERNS.get(language, ()):
        text = pattern.sub(words, text)
    return text


def labels(language: str) -> dict[str, str]:
    """The words of a language."""
    return _LABELS[language]
