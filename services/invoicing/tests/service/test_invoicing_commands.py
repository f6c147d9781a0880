"""The admin commands of invoicing."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from invoicing.commands import billing_run_command, verify_chain_command


@pytest.fixture
def slug(house: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The house's slug, with an environment that leads to its database."""
    monkeypatch.setenv("DATABASE_URL", house.database.url)
    monkeypatch.setenv("DESKLEDGER_INTERNAL_TOKEN", "x")
    with house.database.session(house.organization_id) as session:
        return str(session.organization.slug)


def test_a_run_from_the_command_line_and_the_check_of_its_chain(house: Any, slug: str) -> None:
    house.join("2027-02-12")
    made = CliRunner().invoke(billing_run_command, [slug, "2027-03-01"])
    assert (made.exit_code, "completed, 2 invoices" in made.output) == (0, True), made.output
    assert len(house.invoices()) == 2
    checked = CliRunner().invoke(verify_chain_command, [slug])
    assert (checked.exit_code, "2 documents are as they were issued" in checked.output) == (0, True), checked.output
    with house.database.system_session() as session:
        session.execute(
            text("UPDATE chained_document SET hash = repeat('0', 64) WHERE organization_id = :id AND position = 1"),
            {"id": house.organization_id},
        )
        session.commit()
    assert CliRunner().invoke(verify_chain_command, [slug]).exit_code == 1


def test_an_unknown_organisation_is_told(house: Any, slug: str) -> None:
    answer = CliRunner().invoke(verify_chain_command, [slug + "-not"])
    assert (answer.exit_code, "there is no organisation" in answer.output) == (1, True)
