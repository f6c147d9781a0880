"""``/v1/invoices``."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields, validate
from sqlalchemy import and_, not_, select
from sqlalchemy.orm import selectinload

from common.auth import allow, current_principal
from common.clock import local_date
from common.db import TenantSession
from common.errors import InvalidError, NotFoundError
from common.http import (
    Blueprint,
    Id,
    check_if_match,
    current_session,
    idempotent,
    page,
    page_schema,
    remember_etag,
)
from common.http.audited import changes_nothing
from common.http.schemas import CivilDate, QuerySchema
from common.ids import decode_path_id
from invoicing.api.access import DESK, EVERYBODY, by_customer, check_visible, only_visible, own_payers, searched
from invoicing.api.credit_note_schemas import CreditNoteInSchema, CreditNoteSchema
from invoicing.api.invoice_schemas import (
    InvoiceInSchema,
    InvoiceSchema,
    InvoiceTermsSchema,
    PreviewInSchema,
    PreviewSchema,
    ReasonSchema,
    SendSchema,
)
from invoicing.api.schemas import SearchQuery
from invoicing.api.showing import show_credit_note, show_invoice, show_invoices, show_spec
from invoicing.documents import document_xml, invoice_factur_x, invoice_pdf
from invoicing.documents.einvoice import Flavor
from invoicing.models import Customer, Invoice
from invoicing.services import credit_notes, drafts, invoices, manual_invoices, manual_lines, previews, sending
from invoicing.services.customers import find_customer, resolve_payer
from invoicing.services.settings import billing_settings

blueprint = Blueprint("invoices", __name__, description="What customers owe")


class InvoiceQuery(SearchQuery):
    """Filters of the list."""

    member_id = Id("mem", load_default=None)
    company_id = Id("com", load_default=None)
    location_id = Id("loc", load_default=None)
    billing_run_id = Id("run", load_default=None)
    checkout_id = Id("chk", load_default=None)
    state = fields.String(load_default=None, validate=validate.Length(max=20))
    payment_state = fields.String(load_default=None, validate=validate.Length(max=20))
    number = fields.String(load_default=None, validate=validate.Length(max=60))
    overdue = fields.Boolean(load_default=None, allow_none=True)
    issued_from = CivilDate(load_default=None)
    issued_until = CivilDate(load_default=None)


class PdfQuery(QuerySchema):
    """Which kind of PDF."""

    format = fields.String(load_default="pdf", validate=validate.OneOf(["pdf", "factur-x"]))


class XmlQuery(QuerySchema):
    """Which syntax of EN 16931."""

    format = fields.String(load_default="cii", validate=validate.OneOf(["cii", "ubl"]))


FILE = {"type": "string", "format": "binary"}
FLAVORS: dict[str, Flavor] = {"cii": "factur-x", "ubl": "ubl-2.1"}
_EQUAL = ("location_id", "billing_run_id", "checkout_id", "state", "payment_state", "number")


@blueprint.route("/v1/invoices", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(InvoiceQuery, location="query")
@blueprint.response(200, page_schema(InvoiceSchema))
def list_invoices(query: dict[str, Any]) -> dict[str, Any]:
    """List invoices, the newest first."""
    session = current_session()
    statement = select(Invoice).options(selectinload(Invoice.lines))
    statement = by_customer(only_visible(statement, Invoice), Invoice, query)
    statement = searched(statement, Invoice, query["q"], Invoice.number)
    for name in _EQUAL:
        if query[name] is not None:
            statement = statement.where(getattr(Invoice, name) == query[name])
    if query["issued_from"] is not None:
        statement = statement.where(Invoice.issue_date >= query["issued_from"])
    if query["issued_until"] is not None:
        statement = statement.where(Invoice.issue_date <= query["issued_until"])
    if query["overdue"] is not None:
        today = local_date(session.now(), session.organization.timezone)
        late = and_(Invoice.state == "open", Invoice.payable_minor > 0, Invoice.due_date < today)
        statement = statement.where(late if query["overdue"] else not_(late))
    sorts = {"issue_date": Invoice.issue_date, "due_date": Invoice.due_date, "number": Invoice.number}
    answer = page(session, statement, query, key=Invoice.id, sorts=sorts)
    return {**answer, "items": show_invoices(session, answer["items"])}


@blueprint.route("/v1/invoices", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(InvoiceInSchema)
@blueprint.response(201, InvoiceSchema)
def create_invoice(body: dict[str, Any]) -> dict[str, Any]:
    """Invoice by hand: given lines, or all unbilled items up to today; ``issue`` false keeps a draft."""
    session = current_session()
    who = (body.pop("member_id", None), body.pop("company_id", None))
    payer = resolve_payer(session, *who, is_personal=body.pop("is_personal"))
    invoice = manual_invoices.make_invoice(session, payer.customer, **_terms(body))
    remember_etag(invoice)
    return show_invoice(session, invoice)


def _terms(body: dict[str, Any]) -> dict[str, Any]:
    if "lines" in body:
        body["lines"] = [
            manual_lines.ManualLine(**{k: v for k, v in line.items() if v is not None}) for line in body["lines"]
        ]
    if "discounts" in body:
        body["discounts"] = [manual_lines.ManualDiscount(**discount) for discount in body["discounts"]]
    return body


@blueprint.route("/v1/invoices/preview", methods=["POST"])
@allow(*EVERYBODY)
@changes_nothing
@blueprint.arguments(PreviewInSchema)
@blueprint.response(200, PreviewSchema)
def preview_invoices(body: dict[str, Any]) -> dict[str, Any]:
    """Show every invoice that would be made up to and including a day, also with a membership besides."""
    session = current_session()
    payers = _previewed(session, body)
    if abs(body["as_of"].year - local_date(session.now(), session.organization.timezone).year) > 3:
        raise InvalidError("invalid_as_of", "previews reach three years at most")
    what_if, terms = body["membership"], billing_settings(session).payment_terms_days
    specs = []
    for position, payer in enumerate(payers):
        # The membership that they might have is paid by whoever pays for those that they have.
        specs += previews.preview_invoices(session, payer, body["as_of"], None if position else what_if)
    return {"invoices": [show_spec(spec, terms) for spec in specs]}


def _previewed(session: TenantSession, body: dict[str, Any]) -> list[Customer]:
    """Who pays for a member or company, as far as the caller may see them: the company, and for what is personal the
    member."""
    member_id, principal = body.get("member_id"), current_principal()
    payers = [resolve_payer(session, member_id, body.get("company_id")).customer]
    if member_id is not None and payers[0].id != member_id:
        payers.append(find_customer(session, member_id, "member"))
    seen = payers if principal.is_staff else [payer for payer in payers if payer.id in own_payers(principal)]
    if not seen or (body["membership"] is not None and seen[0] is not payers[0]):
        raise NotFoundError("not_found", "there is no such thing")
    return seen


def _find(invoice_id: str, *, lock: bool = False) -> Invoice:
    session = current_session()
    found = invoices.find_invoice(session, decode_path_id("inv", invoice_id))
    check_visible(found)
    return invoices.find_invoice(session, found.id, lock=True) if lock else found


@blueprint.route("/v1/invoices/<invoice_id>", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.response(200, InvoiceSchema)
def get_invoice(invoice_id: str) -> dict[str, Any]:
    """Show an invoice."""
    invoice = _find(invoice_id)
    remember_etag(invoice)
    return show_invoice(current_session(), invoice)


@blueprint.route("/v1/invoices/<invoice_id>", methods=["PATCH"])
@allow(*DESK)
@blueprint.arguments(InvoiceTermsSchema(partial=True))
@blueprint.response(200, InvoiceSchema)
def change_draft(body: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Change a draft; what is issued cannot be changed (409)."""
    invoice = _find(invoice_id, lock=True)
    check_if_match(invoice)
    changed = drafts.change_draft(current_session(), invoice, **_terms(body))
    remember_etag(changed)
    return show_invoice(current_session(), changed)


@blueprint.route("/v1/invoices/<invoice_id>", methods=["DELETE"])
@allow(*DESK)
@blueprint.response(204)
def drop_draft(invoice_id: str) -> None:
    """Delete a draft; what is issued cannot be deleted (409)."""
    invoice = _find(invoice_id, lock=True)
    check_if_match(invoice)
    drafts.drop_draft(current_session(), invoice)


@blueprint.route("/v1/invoices/<invoice_id>/issue", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.response(200, InvoiceSchema)
def issue_draft(invoice_id: str) -> dict[str, Any]:
    """Issue a draft: it gets its number and today's date."""
    session = current_session()
    return show_invoice(session, drafts.issue_draft(session, _find(invoice_id, lock=True)))


@blueprint.route("/v1/invoices/<invoice_id>/send", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(SendSchema)
@blueprint.response(200, InvoiceSchema)
def send_invoice(body: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Mail an invoice, or mail it again."""
    session = current_session()
    return show_invoice(session, sending.send_invoice(session, _find(invoice_id, lock=True), body["to"]))


@blueprint.route("/v1/invoices/<invoice_id>/void", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, InvoiceSchema)
def void_invoice(body: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Void an unpaid invoice; its items become billable again."""
    session = current_session()
    invoice = _find(invoice_id, lock=True)
    check_if_match(invoice)
    return show_invoice(session, invoices.void_invoice(session, invoice, body["reason"]))


@blueprint.route("/v1/invoices/<invoice_id>/write-off", methods=["POST"])
@allow(*DESK)
@idempotent()
@blueprint.response(200, InvoiceSchema)
def write_off(invoice_id: str) -> dict[str, Any]:
    """Give an invoice up as uncollectible."""
    session = current_session()
    return show_invoice(session, invoices.write_off(session, _find(invoice_id, lock=True)))


@blueprint.route("/v1/invoices/<invoice_id>/credit-notes", methods=["POST"])
@allow(*DESK)
@idempotent(required=True)
@blueprint.arguments(CreditNoteInSchema)
@blueprint.response(201, CreditNoteSchema)
def create_credit_note(body: dict[str, Any], invoice_id: str) -> dict[str, Any]:
    """Credit lines of an invoice, or all that is left of it."""
    session = current_session()
    invoice = _find(invoice_id, lock=True)
    amounts = None
    if "lines" in body:
        amounts = {line["invoice_line_id"]: line["amount"] for line in body["lines"]}
        if len(amounts) != len(body["lines"]):
            raise InvalidError("duplicate_line", "each line can be named once")
    note = credit_notes.create_credit_note(session, invoice, amounts, reason=body["reason"], refund=body["refund"])
    return show_credit_note(session, note)


@blueprint.route("/v1/invoices/<invoice_id>/pdf", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(PdfQuery, location="query")
@blueprint.response(200, FILE, content_type="application/pdf")
def get_pdf(query: dict[str, Any], invoice_id: str) -> Response:
    """The invoice as PDF; ``format=factur-x`` is a PDF/A-3 with the e-invoice embedded."""
    invoice = _find(invoice_id)
    invoices.check_downloadable(invoice)
    make = invoice_factur_x if query["format"] == "factur-x" else invoice_pdf
    pdf = make(current_session(), invoice)
    return file_response(pdf, "application/pdf", f"{invoice.number}.pdf")


@blueprint.route("/v1/invoices/<invoice_id>/xml", methods=["GET"])
@allow(*EVERYBODY)
@blueprint.arguments(XmlQuery, location="query")
@blueprint.response(200, FILE, content_type="application/xml")
def get_xml(query: dict[str, Any], invoice_id: str) -> Response:
    """The invoice as structured e-invoice (EN 16931), in CII or UBL."""
    invoice = _find(invoice_id)
    invoices.check_downloadable(invoice)
    xml = document_xml(current_session(), invoice.id, FLAVORS[query["format"]])
    return file_response(xml, "application/xml", f"{invoice.number}.xml")


def file_response(body: bytes, content_type: str, name: str) -> Response:
    """A file to be shown or saved under a name."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    headers = {"Content-Disposition": f'inline; filename="{safe}"', "Cache-Control": "private, no-store"}
    return Response(body, content_type=content_type, headers=headers)
