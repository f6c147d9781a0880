"""VAT numbers are checked for their form (TAX-3); whether a number is alive is for the tax office to say."""

from __future__ import annotations

import re

from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError

from common.errors import FieldError, InvalidError

_EU_PREFIXES = frozenset(code.upper() for code in eu_vat.MEMBER_STATES) | {"EL", "XI"}


def normal_vat_number(number: str, country: str, pointer: str = "/billing/vat_number") -> str:
    """A VAT number in its compact form; a number without a prefix is read as one of ``country`` (ISO alpha-2).

    Raises InvalidError for a number that cannot be one. Countries that nobody has written rules for accept 4 to 20
    letters and digits.
    """
    compact = re.sub(r"[^0-9A-Z]", "", number.upper())
    prefix = compact[:2] if compact[:2].isalpha() else country
    try:
        if prefix in _EU_PREFIXES:
            body = compact if compact[:2].isalpha() else prefix + compact
            return str(eu_vat.validate(body))
        module = get_cc_module(prefix, "vat")
        if module is not None:
            return str(module.validate(number))
    except ValidationError as error:
        raise _refused(pointer) from error
    if not 4 <= len(compact) <= 20:
        raise _refused(pointer)
    return compact


def _refused(pointer: str) -> InvalidError:
    detail = "Not a valid VAT number."
    return InvalidError("vat_number_invalid", detail, errors=[FieldError(pointer, detail)])
