"""Uploaded pictures become three clean WebP files, or are refused."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat

from catalog.services import image_sizes
from catalog.services.image_sizes import render_sizes
from common.errors import InvalidError

ORIENTATION, GPS = 0x0112, 0x8825


def picture(kind: str, size: tuple[int, int] = (2000, 1000), mode: str = "RGB", **options: Any) -> bytes:
    """An encoded picture."""
    out = BytesIO()
    Image.new(mode, size, "teal").save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    """A picture decoded, so that its properties can be looked at."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_large_picture_gets_three_smaller_sizes(kind: str) -> None:
    sizes = render_sizes(picture(kind))
    assert (sizes.width, sizes.height) == (1600, 800)
    for data, expected in ((sizes.small, (320, 160)), (sizes.medium, (800, 400)), (sizes.large, (1600, 800))):
        assert (opened(data).format, opened(data).size) == ("WEBP", expected)


def test_a_small_picture_is_not_made_larger() -> None:
    sizes = render_sizes(picture("PNG", (100, 50)))
    assert opened(sizes.small).size == opened(sizes.large).size == (100, 50)


def test_transparency_stays() -> None:
    out = BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(out, "PNG")
    assert opened(render_sizes(out.getvalue()).large).mode == "RGBA"
    assert opened(render_sizes(picture("PNG", (10, 10), "P")).large).mode == "RGB"


@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_turned_upright_and_loses_its_metadata(orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[GPS] = {1: "N", 2: (52.0, 30.0, 0.0)}
    source = Image.effect_noise((64, 32), 100).convert("RGB").resize((640, 320))
    out = BytesIO()
    source.save(out, "PNG", exif=exif)
    large = opened(render_sizes(out.getvalue()).large)
    assert not large.getexif()
    expected = ImageOps.exif_transpose(opened(out.getvalue())).convert("RGB")
    assert large.size == expected.size
    assert max(ImageStat.Stat(ImageChops.difference(large, expected)).mean) < 20


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n", picture("GIF", (5, 5)), b"\xff\xd8\xff"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        render_sizes(data)
    assert refused.value.code == "picture_unreadable"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    data = picture(kind, (300, 300))
    with pytest.raises(InvalidError):
        render_sizes(data[: len(data) // 2])


def test_too_many_pixels_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_sizes, "MAX_PIXELS", 10_000)
    with pytest.raises(InvalidError) as refused:
        render_sizes(picture("PNG", (101, 100)))
    assert refused.value.code == "picture_too_large"


def test_a_decompression_bomb_is_refused() -> None:
    bomb = picture("PNG", (20_000, 10_000), "1")
    with pytest.raises(InvalidError):
        render_sizes(bomb)


@settings(max_examples=150)
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_damage_anywhere_is_refused_or_harmless(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(picture(kind, (40, 30)))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    # Anything but InvalidError fails the test.
    with suppress(InvalidError):
        assert opened(render_sizes(bytes(damaged)).small).format == "WEBP"
