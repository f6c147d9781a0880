"""From an upload to pictures that are safe to serve: decoded, turned upright, encoded anew, without metadata."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from common.errors import InvalidError

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
SIZES = {"small": 320, "medium": 800, "large": 1600}
MAX_PIXELS = 40_000_000
_QUALITY = 80
_ORIENTATION = 0x0112
# How cameras say which way up a picture is. Pillow's own exif_transpose also writes the metadata anew, and stumbles
# over damaged ones.
_TURNS = {
    "2": Image.Transpose.FLIP_LEFT_RIGHT,
    "3": Image.Transpose.ROTATE_180,
    "4": Image.Transpose.FLIP_TOP_BOTTOM,
    "5": Image.Transpose.TRANSPOSE,
    "6": Image.Transpose.ROTATE_270,
    "7": Image.Transpose.TRANSVERSE,
    "8": Image.Transpose.ROTATE_90,
}
_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A picture as WebP in three sizes; ``width`` and ``height`` are those of the large one."""

    width: int
    height: int
    small: bytes
    medium: bytes
    large: bytes


def render_sizes(data: bytes) -> Sizes:
    """Decode a PNG, JPEG or WebP and encode it in three sizes, never larger than it was.

    Raises InvalidError ``picture_unreadable`` for anything else and for damaged files, ``picture_too_large`` for more
    than 40 million pixels.
    """
    try:
        image = _decode(data)
    except _UNREADABLE as error:
        raise InvalidError("picture_unreadable", "this is no PNG, JPEG or WebP picture, or it is damaged") from error
    encoded = {name: _encode(image, longest) for name, longest in SIZES.items()}
    return Sizes(image.width, image.height, **encoded)


def _decode(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data), formats=tuple(FORMATS.values())) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise InvalidError("picture_too_large", "a picture has at most 40 million pixels")
        opened.draft("RGB", (SIZES["large"], SIZES["large"]))
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
        turn = _TURNS.get(str(opened.getexif().get(_ORIENTATION)))
    image.thumbnail((SIZES["large"], SIZES["large"]))
    return image if turn is None else image.transpose(turn)


def _encode(image: Image.Image, longest: int) -> bytes:
    smaller = image.copy()
    smaller.thumbnail((longest, longest))
    out = BytesIO()
    # Pillow copies EXIF data unless told otherwise, and where a picture was taken is nobody's business.
    smaller.save(out, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=None)
    return out.getvalue()
