"""Secrets at rest (PAY-6)."""

from __future__ import annotations

import pytest

from common.errors import UnavailableError
from payments.services.vault import Vault

KEYS = {"api_key": "sk_test_1", "webhook_secret": "whsec_1"}


def test_what_was_sealed_opens_again_and_shows_nothing() -> None:
    sealed = Vault("secret").seal(KEYS)
    assert b"sk_test" not in sealed
    assert Vault("secret").open(sealed) == KEYS
    assert Vault("secret").open(None) == {}


def test_a_changed_secret_opens_what_the_previous_one_sealed() -> None:
    sealed = Vault("old").seal(KEYS)
    assert Vault("new", "old").open(sealed) == KEYS
    with pytest.raises(UnavailableError, match="DESKLEDGER_SECRET"):
        Vault("new").open(sealed)


def test_credentials_are_sealed_anew_and_then_the_old_secret_can_be_forgotten() -> None:
    both, sealed = Vault("new", "old"), Vault("old").seal(KEYS)
    again = both.resealed(sealed)
    assert again is not None
    assert Vault("new").open(again) == KEYS
    assert both.resealed(again) is None
    with pytest.raises(UnavailableError):
        both.resealed(Vault("third").seal(KEYS))


def test_links_in_old_mails_fit_while_the_old_secret_is_known() -> None:
    token = Vault("old").link_token("pay_1")
    assert Vault("new", "old").link_fits("pay_1", token)
    assert not Vault("new").link_fits("pay_1", token)


def test_links_fit_their_own_subject_only() -> None:
    vault = Vault("secret")
    assert vault.link_fits("pay_1", vault.link_token("pay_1"))
    assert not vault.link_fits("pay_2", vault.link_token("pay_1"))
    assert not Vault("other").link_fits("pay_1", vault.link_token("pay_1"))
