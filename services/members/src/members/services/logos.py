"""An organisation's logo: what stands in mails and on invoices must be a picture, and a small one."""

from __future__ import annotations

import base64
import binascii
import struct
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from common.errors import FieldError, InvalidError

LONGEST_SIDE = 2000
_FORMATS = {"png": "PNG", "jpeg": "JPEG"}
_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    binascii.Error,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
)


def check_logo(logo: str) -> None:
    """Refuse a data URI that is not the whole picture it says it is, or one with a side over 2,000 pixels.

    An https address is taken as it is: nothing is fetched. Raises InvalidError.
    """
    head, _, body = logo.partition(";base64,")
    if not body:
        return
    kind = head.removeprefix("data:image/")
    try:
        with Image.open(BytesIO(base64.b64decode(body, validate=True)), formats=(_FORMATS[kind],)) as picture:
            if max(picture.size) > LONGEST_SIDE:
                raise _refusal("logo_too_large", f"is larger than {LONGEST_SIDE} by {LONGEST_SIDE} pixels")
            picture.load()
    except _UNREADABLE as error:
        raise _refusal("logo_unreadable", f"is no {_FORMATS[kind]} picture, or it is damaged") from error


def _refusal(code: str, detail: str) -> InvalidError:
    return InvalidError(code, f"the logo {detail}", errors=[FieldError("/logo", detail)])
