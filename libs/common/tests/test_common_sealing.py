"""Secrets at rest, and the change of the secret that seals them."""

from __future__ import annotations

import pytest

from common.sealing import ForeignSecretError, Seal


def test_what_an_earlier_secret_sealed_is_opened_and_sealed_anew() -> None:
    old, both, new = (Seal(secrets, "letters") for secrets in (["old"], ["new", "old"], ["new"]))
    sealed = old.seal(b"dear")
    assert both.open(sealed) == b"dear"
    again = both.resealed(sealed)
    assert again is not None
    assert new.open(again) == b"dear"
    assert both.resealed(again) is None


def test_neither_another_secret_nor_another_purpose_opens_it() -> None:
    sealed = Seal(["ours"], "letters").seal(b"dear")
    for other in (Seal(["theirs"], "letters"), Seal(["ours"], "parcels")):
        with pytest.raises(ForeignSecretError):
            other.open(sealed)
        with pytest.raises(ForeignSecretError):
            other.resealed(sealed)
