"""Form fields that speak the API's language: what people type becomes money, decimals and dates without floats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import NumberFormatError, format_decimal, parse_decimal
from flask import g
from wtforms import (
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice, SelectFieldBase
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from common.clock import wall_to_instant
from common.money import Money, currency_exponent
from portal.formats import instant_text, local, organization_zone
from portal.translation import gettext as _
from portal.translation import locale


def organization_currency() -> str:
    """The currency that amounts are typed in."""
    seat = g.get("seat")
    return str(seat.organization["currency"]) if seat else str(g.get("currency", "EUR"))


def read_number(text: str) -> Decimal:
    """A typed number: ``12.50`` everywhere, and as the visitor's locale writes it. Raises ValueError."""
    text = text.strip().replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    if text.count(".") + text.count(",") == 1 and len(text) - max(text.find("."), text.find(",")) - 1 != 3:
        text = text.replace(",", ".")
    else:
        text = str(_read_localised(text))
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not found.is_finite():
        raise ValueError(text)
    return found


def _read_localised(text: str) -> Decimal:
    try:
        return parse_decimal(text, locale=locale(), strict=True)
    except NumberFormatError as error:
        raise ValueError(text) from error


class TypedField(Field):
    """A text field whose data are of another type; ``api_value`` is what the API takes."""

    widget = TextInput()
    inputmode = "text"

    def _value(self) -> str:
        return self.raw_data[0] if self.raw_data else self.shown()

    def shown(self) -> str:
        """The data as text."""
        return "" if self.data is None else str(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        text = valuelist[0].strip() if valuelist else ""
        self.data = self.read(text) if text else None

    def read(self, text: str) -> Any:
        """Turn text into data. Raises ValueError."""
        return text

    def api_value(self) -> Any:
        """For the API."""
        return self.data


class MoneyField(TypedField):
    """An amount in the organisation's currency."""

    inputmode = "decimal"

    def process_data(self, value: Any) -> None:
        """Take the API's money or an amount."""
        self.data = Money(**value).decimal() if isinstance(value, Mapping) else value

    def shown(self) -> str:
        """With the currency's decimals."""
        if self.data is None:
            return ""
        pattern = "0." + "0" * currency_exponent(organization_currency())
        return format_decimal(self.data, pattern.rstrip("."), locale=locale())

    def read(self, text: str) -> Decimal:
        """An amount with no more decimals than the currency has."""
        try:
            amount = read_number(text)
        except ValueError as error:
            raise ValueError(_("Please write an amount such as 12.50.")) from error
        if -int(amount.as_tuple().exponent) > currency_exponent(organization_currency()):
            raise ValueError(_("That is finer than the currency's smallest coin."))
        return amount

    def api_value(self) -> dict[str, Any] | None:
        """Minor units."""
        if self.data is None:
            return None
        currency = organization_currency()
        return {"amount_minor": int(self.data.scaleb(currency_exponent(currency))), "currency": currency}


class NumberField(TypedField):
    """A percentage or quantity."""

    inputmode = "decimal"

    def process_data(self, value: Any) -> None:
        """Take the API's decimal string."""
        self.data = Decimal(str(value)) if value not in (None, "") else None

    def shown(self) -> str:
        """Without needless zeros."""
        return "" if self.data is None else format_decimal(self.data, locale=locale(), group_separator=False)

    def read(self, text: str) -> Decimal:
        """A decimal number."""
        try:
            return read_number(text)
        except ValueError as error:
            raise ValueError(_("Please write a number.")) from error

    def api_value(self) -> str | None:
        """A decimal string."""
        return None if self.data is None else format(self.data, "f")


class WholeField(TypedField):
    """A whole number."""

    inputmode = "numeric"

    def read(self, text: str) -> int:
        """Digits only."""
        try:
            return int(text)
        except ValueError as error:
            raise ValueError(_("Please write a whole number.")) from error


class WholeListField(TypedField):
    """Whole numbers with commas between."""

    def shown(self) -> str:
        """As they are typed."""
        return ", ".join(str(item) for item in self.data or ())

    def read(self, text: str) -> list[int]:
        """Read them."""
        try:
            return [int(part) for part in text.replace(";", ",").split(",") if part.strip()]
        except ValueError as error:
            raise ValueError(_("Please write whole numbers with commas between.")) from error

    def api_value(self) -> list[int]:
        """No text is no numbers."""
        return self.data or []


class WordListField(TypedField):
    """Short texts with commas between."""

    def shown(self) -> str:
        """As they are typed."""
        return ", ".join(self.data or ())

    def read(self, text: str) -> list[str]:
        """Read them."""
        return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))

    def api_value(self) -> list[str]:
        """No text is no words."""
        return self.data or []


class WallTimeField(TypedField):
    """A date and time at a place; set ``zone`` before reading ``api_value``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone: str | None = None

    def process_data(self, value: Any) -> None:
        """Take an instant of the API."""
        self.data = local(value, getattr(self, "zone", None)).replace(tzinfo=None) if value else None

    def shown(self) -> str:
        """As browsers want it."""
        return self.data.strftime("%Y-%m-%dT%H:%M") if self.data else ""

    def read(self, text: str) -> datetime:
        """Wall time without a zone."""
        try:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        except ValueError as error:
            raise ValueError(_("Please give a date and a time.")) from error

    def api_value(self) -> str | None:
        """The instant, by the place's clock."""
        return None if self.data is None else instant_text(wall_to_instant(self.data, self.zone or organization_zone()))


class DayField(TypedField):
    """A civil date."""

    def read(self, text: str) -> str:
        """As the API writes it."""
        try:
            return datetime.fromisoformat(text).date().isoformat()
        except ValueError as error:
            raise ValueError(_("Please give a date.")) from error


class PairedChoices(SelectFieldBase):
    """Choices of a select as pairs of value and text; views often set them after the form was made."""

    pairs: list[tuple[str, Any]]

    def __init__(self, *args: Any, choices: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(*args, choices=[SelectChoice(*pair) for pair in choices], **kwargs)
        self.pairs = list(choices)

    def offer(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Set the choices."""
        self.pairs = list(pairs)
        self.choices = [SelectChoice(*pair) for pair in self.pairs]


class ChoiceField(PairedChoices, SelectField):
    """One of several; an empty choice is none."""

    def process_data(self, value: Any) -> None:
        """None is the empty choice."""
        super().process_data("" if value is None else value)

    def api_value(self) -> str | None:
        """None for the empty choice."""
        return self.data or None


class OneOfField(PairedChoices, RadioField):
    """One of a few, each of them explained."""


class CheckListField(PairedChoices, SelectMultipleField):
    """Several of several, as boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def api_value(self) -> list[str]:
        """What is ticked, after what was chosen before and is no longer offered: nobody unticked that."""
        offered = {value for value, _text in self.pairs}
        kept = [value for value in self.object_data or () if value not in offered]
        return [*kept, *(self.data or ())]


class LineField(StringField):
    """A line of text; blanks around it are cut off."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Cut."""
        self.data = valuelist[0].strip() if valuelist else None

    def api_value(self) -> str | None:
        """None for nothing."""
        return self.data or None


class ParagraphField(TextAreaField):
    """Several lines of text."""

    def api_value(self) -> str | None:
        """None for nothing."""
        return self.data or None


def required_number(_form: Any, field: Field) -> None:
    """Validator: something was typed, zero included."""
    if field.data is None and not field.errors:
        raise ValidationError(_("Please fill this in."))
