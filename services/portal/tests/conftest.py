"""The portal on a gateway of paper, and somebody signed in."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from common.clock import SystemClock
from portal.app import create_portal_app
from portal.config import PortalSettings
from portal.seats import Renewals

_HOUSE = Path(__file__).with_name("portal_house.py")
_spec = importlib.util.spec_from_file_location("portal_house", _HOUSE)
assert _spec is not None
assert _spec.loader is not None
portal_house = importlib.util.module_from_spec(_spec)
sys.modules["portal_house"] = portal_house
_spec.loader.exec_module(portal_house)

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser without scripts: follows what forms ask for, tokens included."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def read(self, path: str) -> str:
        """A page that must be there."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.get_data(as_text=True)[-2000:])
        return answer.get_data(as_text=True)

    def send(self, path: str, form: dict[str, Any], *, page: str | None = None) -> Any:
        """Fill in the form on ``page`` (or where it is sent to) and send it."""
        found = _TOKEN.search(self.read(page or path))
        assert found, "the page has no form"
        return self.client.post(path, data={"csrf_token": found[1], "_key": "key-of-this-form", **form})


@pytest.fixture
def gateway() -> Any:
    """A gateway of paper."""
    return portal_house.PaperGateway()


@pytest.fixture(scope="session")
def built_portal() -> Flask:
    """The app without a gateway: built once, because compiling all templates takes a while."""
    return create_portal_app(PortalSettings(secret="a secret of tests, long enough"), portal_house.PaperGateway())


@pytest.fixture
def portal(built_portal: Flask, gateway: Any) -> Flask:
    """The portal's app on this test's gateway, with nothing left of other tests."""
    built_portal.extensions |= {"gateway": gateway, "renewals": Renewals(), "clock": SystemClock()}
    return built_portal


@pytest.fixture
def visitor(portal: Flask) -> Visitor:
    """Somebody who is not signed in."""
    return Visitor(portal.test_client())


@pytest.fixture
def owner(visitor: Visitor) -> Visitor:
    """The owner, signed in."""
    form = {"organization": "harbour", "email": "owner@harbour.example", "password": "correct-horse-battery"}
    assert visitor.send("/sign-in", form).status_code == 302
    return visitor


@pytest.fixture
def member(visitor: Visitor, gateway: Any) -> Visitor:
    """A member, signed in."""
    gateway.answers[("GET", "/v1/me")] = (200, portal_house.MEMBER_ME)
    form = {"organization": "harbour", "email": "ada@harbour.example", "password": "correct-horse-battery"}
    assert visitor.send("/sign-in", form).status_code == 302
    return visitor
