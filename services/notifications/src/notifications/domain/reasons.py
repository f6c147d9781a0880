"""Why money did not come, in words: the codes of payment providers that people meet."""

from __future__ import annotations

_WORDS = {
    "insufficient_funds": ("not enough money in the account", "Konto nicht gedeckt"),
    "generic_decline": ("declined by the bank", "von der Bank abgelehnt"),
    "card_declined": ("declined by the bank", "von der Bank abgelehnt"),
    "do_not_honor": ("declined by the bank", "von der Bank abgelehnt"),
    "expired_card": ("the card has expired", "Karte abgelaufen"),
    "lost_card": ("the card was reported lost", "Karte als verloren gemeldet"),
    "stolen_card": ("the card was reported stolen", "Karte als gestohlen gemeldet"),
    "account_closed": ("the account is closed", "Konto aufgelöst"),
    "mandate_cancelled": ("the mandate was revoked", "Mandat widerrufen"),
    "authentication_required": ("the bank's confirmation is missing", "Bestätigung der Bank fehlt"),
    "payment_method_missing": ("no payment method on file", "kein Zahlungsmittel hinterlegt"),
    "fraudulent": ("reported as fraud", "als Betrug gemeldet"),
    "duplicate": ("reported as charged twice", "als doppelt abgebucht gemeldet"),
    "product_not_received": ("reported as not provided", "als nicht erbracht gemeldet"),
    "returned": ("returned by the bank", "von der Bank zurückgegeben"),
    "gateway_disconnected": ("the payment gateway is no longer connected", "Zahlungsanbieter nicht mehr verbunden"),
    "lost_or_stolen_card": ("the card was reported lost or stolen", "Karte als verloren oder gestohlen gemeldet"),
    "expired_or_canceled_card": ("the card has expired or was cancelled", "Karte abgelaufen oder gekündigt"),
    "refund_failed": ("the bank did not accept it", "von der Bank nicht angenommen"),
    "payment_disputed": ("the customer's bank has taken the money back", "von der Bank des Kunden zurückgeholt"),
    "payment_returned": ("the money had been returned by the bank", "von der Bank schon zurückgegeben"),
    "refund_exceeds_payment": ("it was given back elsewhere", "an anderer Stelle schon erstattet"),
    "general": ("disputed by the customer", "vom Kunden bestritten"),
}


def reason_in_words(code: str, language: str) -> str:
    """A provider's code in words of a language (``en`` or ``de``); an unknown one without its underscores."""
    words = _WORDS.get(code)
    if words is None:
        return code.replace("_", " ")
    return words[1 if language == "de" else 0]
