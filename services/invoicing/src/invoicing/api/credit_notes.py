"""``/v1/credit-notes``."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from common.auth import allow, current_principal
from common.http import Blueprint, Id, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, by_customer, check_visible, searched
from invoicing.api.access import own_payers as own
from invoicing.api.credit_note_schemas import AllocationSchema, AmountSchema, CreditNoteSchema
from invoicing.api.invoices import FILE, FLAVORS, XmlQuery, file_response
from invoicing.api.schemas import SearchQuery
from invoicing.api.showing import show_credit_note, show_credit_notes
from invoicing.documents import credit_note_pdf, document_xml
from invoicing.models import CreditNote
from invoicing.services import credit_note_uses, credit_notes

blueprint = Blueprint("credit-notes", __name__, description="What is taken back")


class CreditNoteQuery(SearchQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)
    invoice_id = Id("inv", load_default=None)


def _find(note_id: str, *, lock: bool = False) -> CreditNote:
    session = current_session()
    note = credit_notes.find_credit_note(session, decode_path_id("crn", note_id))
    check_visible(note)
    return credit_notes.find_credit_note(session, note.id, lock=True) if lock else note


@blueprint.route("/v1/credit-notes", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(CreditNoteQuery, location="query")
@blueprint.response(200, page_schema(CreditNoteSchema))
def list_credit_notes(query: dict[str, Any]) -> dict[str, Any]:
    """List credit notes, the newest first."""
    statement = by_customer(select(CreditNote).options(selectinload(CreditNote.lines)), CreditNote, query)
    statement = searched(statement, CreditNote, query["q"], CreditNote.number)
    if not current_principal().is_staff:
        statement = statement.where(CreditNote.payer_id.in_(own(current_principal())))
    if query["invoice_id"] is not None:
        statement = statement.where(CreditNote.invoice_id == query["invoice_id"])
    answer = page(current_session(), statement, query, key=CreditNote.id)
    return {**answer, "items": show_credit_notes(current_session(), answer["items"])}


@blueprint.route("/v1/credit-notes/<note_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, CreditNoteSchema)
def get_credit_note(note_id: str) -> dict[str, Any]:
    """Show a credit note."""
    note = _find(note_id)
    remember_etag(note)
    return show_credit_note(current_session(), note)


@blueprint.route("/v1/credit-notes/<note_id>/allocations", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(AllocationSchema)
@blueprint.response(200, CreditNoteSchema)
def allocate(body: dict[str, Any], note_id: str) -> dict[str, Any]:
    """Lay what is left of a credit note on another invoice of the same customer."""
    session = current_session()
    note = credit_note_uses.allocate_credit_note(session, _find(note_id, lock=True), **body)
    return show_credit_note(session, note)


@blueprint.route("/v1/credit-notes/<note_id>/refund", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(AmountSchema)
@blueprint.response(200, CreditNoteSchema)
def refund(body: dict[str, Any], note_id: str) -> dict[str, Any]:
    """Give back what is left of a credit note, through the gateway that took the money."""
    session = current_session()
    note = credit_note_uses.refund_credit_note(session, _find(note_id, lock=True), body["amount"])
    return show_credit_note(session, note)


@blueprint.route("/v1/credit-notes/<note_id>/pdf", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, FILE, content_type="application/pdf")
def get_pdf(note_id: str) -> Response:
    """The credit note as PDF."""
    note = _find(note_id)
    return file_response(credit_note_pdf(current_session(), note), "application/pdf", f"{note.number}.pdf")


@blueprint.route("/v1/credit-notes/<note_id>/xml", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(XmlQuery, location="query")
@blueprint.response(200, FILE, content_type="application/xml")
def get_xml(query: dict[str, Any], note_id: str) -> Response:
    """The credit note as structured e-invoice (EN 16931), in CII or UBL."""
    note = _find(note_id)
    xml = document_xml(current_session(), note.id, FLAVORS[query["format"]])
    return file_response(xml, "application/xml", f"{note.number}.xml")
