"""``/v1/setup/invoicing``."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from common.auth import allow
from common.http import Blueprint, StrictSchema, current_session
from invoicing.api.access import READERS
from invoicing.services.setup import setup_facts, setup_problems

blueprint = Blueprint("invoicing-setup", __name__, description="What invoicing adds to the checklist")


class InvoicingProblemSchema(StrictSchema):
    """Something that is not invoiced."""

    code = fields.String()
    detail = fields.String()
    about = fields.String(allow_none=True, metadata={"description": "Whom or what it is about, or how many"})
    href = fields.String()


class InvoicingSetupSchema(StrictSchema):
    """The switches of billing, and what waits for an invoice."""

    facts = fields.Dict()
    problems = fields.List(fields.Nested(InvoicingProblemSchema))


@blueprint.route("/v1/setup/invoicing", methods=["GET"])
@allow(*READERS)
@blueprint.response(200, InvoicingSetupSchema)
def show_setup() -> dict[str, Any]:
    """Show the switches of billing, and what should have been invoiced."""
    facts = setup_facts(current_session())
    return {"facts": facts, "problems": list(setup_problems(facts))}
