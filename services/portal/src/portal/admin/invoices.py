"""Invoices: list, detail, PDF; send, void, credit, record a payment, write one by hand."""

from __future__ import annotations

from typing import Any

from flask import Response as Answer
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import BooleanField, TextAreaField

from portal.admin import options
from portal.admin.door import DESK, blueprint, require
from portal.api import api
from portal.downloads import pass_on
from portal.fields import ChoiceField, DayField, LineField, MoneyField, NumberField, required_number
from portal.formats import local
from portal.forms import MAYBE, NEEDED, ApiForm, act
from portal.pickers import PickerField
from portal.rehearsal_clock import now
from portal.states import STATES, choices
from portal.translation import gettext as _
from portal.translation import lazy_gettext

_FILTERS = ("state", "number", "location_id", "issued_from", "issued_until", "billing_run_id", "cursor")
# States that people know which are none of the invoice's own.
_PAYING: dict[str, dict[str, str | None]] = {
    "overdue": {"state": None, "overdue": "true"},
    "failed": {"state": "open", "payment_state": "failed"},
}


class PaymentForm(ApiForm):
    """Money that was taken by hand."""

    method = ChoiceField(lazy_gettext("How"), [NEEDED])
    amount = MoneyField(lazy_gettext("Amount"), [required_number])
    date = DayField(lazy_gettext("Day"), [MAYBE])
    reference = LineField(lazy_gettext("Reference"), [MAYBE])


class CreditForm(ApiForm):
    """What `POST /v1/invoices/{id}/credit-notes` takes: all of it, or a part of one line."""

    LOCAL = frozenset({"line", "amount"})

    line = ChoiceField(lazy_gettext("What"), [MAYBE])
    amount = MoneyField(lazy_gettext("Amount before tax"), [MAYBE])
    reason = LineField(lazy_gettext("Reason"), [MAYBE])
    refund = BooleanField(lazy_gettext("Give what was paid back at once"))

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """Lines only when one was chosen, and a refund only when it was asked for."""
        body = {name: value for name, value in super().body(nulls=nulls).items() if value}
        if self.line.data:
            line = {"invoice_line_id": self.line.data, "amount": self.amount.api_value()}
            body["lines"] = [{name: value for name, value in line.items() if value is not None}]
        return body


class InvoiceForm(ApiForm):
    """What `POST /v1/invoices` takes: one line here, or everything unbilled."""

    LOCAL = frozenset({"customer", "description", "quantity", "unit_price", "tax_percent"})

    customer = PickerField(lazy_gettext("For"), [required_number])
    description = LineField(lazy_gettext("What for"), [MAYBE])
    quantity = NumberField(lazy_gettext("Quantity"), [MAYBE])
    unit_price = MoneyField(lazy_gettext("Price"), [MAYBE])
    tax_percent = NumberField(lazy_gettext("Tax"), [MAYBE])
    due_date = DayField(lazy_gettext("Due on"), [MAYBE])
    note = TextAreaField(lazy_gettext("Note on the invoice"), [MAYBE])

    def body(self, *, nulls: bool = False) -> dict[str, Any]:
        """Without a description: all unbilled items."""
        said = {name: value for name, value in super().body(nulls=nulls).items() if value}
        body = {**said, **options.customer_part(self.customer.data), "issue": True}
        if self.description.data:
            quantity = self.quantity.api_value() or "1"
            line = {
                "description": self.description.data,
                "quantity": quantity,
                "unit_price": self.unit_price.api_value(),
            }
            tax = self.tax_percent.api_value()
            body["lines"] = [{**line, **({"tax_percent": tax} if tax is not None else {})}]
        return body


@blueprint.get("/invoices")
def invoices() -> str:
    """A page of the list, newest first."""
    query = {name: request.args.get(name) for name in _FILTERS}
    query |= _PAYING.get(query["state"] or "", {})
    page = api().page("/v1/invoices", **query, limit=50)
    states = [("", _("All")), *((s, str(STATES[s][0])) for s in ("open", "overdue", "failed", "paid", "draft", "void"))]
    places = options.locations(_("All locations"))
    return render_template("admin/invoices/list.html", page=page, states=states, locations=places)


@blueprint.route("/invoices/new", methods=["GET", "POST"])
def new_invoice() -> str | Response:
    """Write an invoice by hand."""
    require(*DESK)
    chosen = request.args.get("customer")
    form = InvoiceForm(shown={"customer": chosen, "quantity": "1"})
    made = form.send(lambda body: api().post("/v1/invoices", body))
    if made is None:
        return render_template("admin/invoices/new.html", form=form)
    return redirect(url_for("admin.invoice", invoice_id=made["id"]))


@blueprint.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """All about an invoice."""
    return _detail(invoice_id)


@blueprint.get("/invoices/<invoice_id>/<any(pdf, xml):kind>")
def invoice_file(invoice_id: str, kind: str) -> Answer:
    """The document itself."""
    return pass_on(f"/v1/invoices/{invoice_id}/{kind}")


@blueprint.post("/invoices/<invoice_id>/send")
def send_invoice(invoice_id: str) -> Response:
    """Mail it."""
    act(lambda: api().post(f"/v1/invoices/{invoice_id}/send"), _("The invoice is on its way."))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/void")
def void_invoice(invoice_id: str) -> Response:
    """Make an unpaid invoice void; it keeps its number."""
    act(lambda: api().post(f"/v1/invoices/{invoice_id}/void"), _("The invoice is void."))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/issue")
def issue_invoice(invoice_id: str) -> Response:
    """Give a draft its number."""
    act(lambda: api().post(f"/v1/invoices/{invoice_id}/issue"), _("The invoice is issued."))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/removal")
def remove_draft(invoice_id: str) -> Response:
    """Throw a draft away; its items can be billed again."""
    done = act(lambda: api().delete(f"/v1/invoices/{invoice_id}"), _("The draft is gone."))
    return _back(invoice_id) if done is None else redirect(url_for("admin.invoices"))


@blueprint.post("/invoices/<invoice_id>/write-off")
def write_invoice_off(invoice_id: str) -> Response:
    """Give up on being paid."""
    act(lambda: api().post(f"/v1/invoices/{invoice_id}/write-off"), _("The invoice is written off."))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/credit-notes")
def credit_invoice(invoice_id: str) -> str | Response:
    """Credit all of it or a part."""
    form = _credit_form(api().get(f"/v1/invoices/{invoice_id}"))
    sent = form.send(lambda body: api().post(f"/v1/invoices/{invoice_id}/credit-notes", body))
    if sent is None:
        return _detail(invoice_id, crediting=form)
    act(lambda: sent, _("Credit note %(number)s is made.", number=sent.get("number", "")))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/payments")
def record_payment(invoice_id: str) -> str | Response:
    """Record money that was taken by hand."""
    form = _payment_form({})
    sent = form.send(lambda body: api().post(f"/v1/invoices/{invoice_id}/payments", body))
    if sent is None:
        return _detail(invoice_id, paying=form)
    act(lambda: sent, _("The payment is recorded."))
    return _back(invoice_id)


@blueprint.post("/invoices/<invoice_id>/charge")
def charge_invoice(invoice_id: str) -> Response:
    """Charge a saved payment method now."""
    body = {"payment_method_id": request.form.get("payment_method_id", "")}
    answer = act(lambda: api().post(f"/v1/invoices/{invoice_id}/payments", body), _("The payment method was charged."))
    if answer and answer.get("state") == "failed":
        act(lambda: None, _("The charge failed; see below."))
    return _back(invoice_id)


def _detail(invoice_id: str, *, paying: PaymentForm | None = None, crediting: CreditForm | None = None) -> str:
    calls = api()
    found = calls.get(f"/v1/invoices/{invoice_id}")
    owner = {name: found.get(name) for name in ("member_id", "company_id") if found.get(name)}
    owed = found["state"] == "open" and found["payable"]["amount_minor"] > 0
    return render_template(
        "admin/invoices/detail.html",
        invoice=found,
        payments=calls.items("/v1/payments", invoice_id=invoice_id),
        notes=calls.items("/v1/credit-notes", invoice_id=invoice_id),
        collections=calls.items("/v1/collections", invoice_id=invoice_id) if owed else [],
        methods=calls.items("/v1/payment-methods", **owner, state="active") if owed and owner else [],
        paying=paying or _payment_form(found),
        crediting=crediting or _credit_form(found),
        owed=owed,
    )


def _payment_form(found: dict[str, Any]) -> PaymentForm:
    shown = {"amount": found.get("payable"), "date": local(now()).date().isoformat(), "method": "bank_transfer"}
    form = PaymentForm(shown=shown)
    form.method.offer(choices("bank_transfer", "cash", "pos"))
    return form


def _credit_form(found: dict[str, Any]) -> CreditForm:
    form = CreditForm()
    lines = [(line["id"], line["description"]) for line in found.get("lines", []) if line.get("id")]
    form.line.offer([("", _("The whole invoice")), *lines])
    return form


def _back(invoice_id: str) -> Response:
    return redirect(url_for("admin.invoice", invoice_id=invoice_id))
