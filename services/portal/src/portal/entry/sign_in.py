"""Signing in by password or mailed link, taking up an invitation, signing out."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField
from wtforms.validators import Length

from portal.api import api_on
from portal.entry.door import blueprint, enter
from portal.fields import LineField
from portal.forms import AN_EMAIL, NEEDED, ApiForm
from portal.problems import ApiProblem
from portal.seats import MEMBER, STAFF, leave_seat, seat_of
from portal.translation import gettext as _
from portal.translation import lazy_gettext


class SignInForm(ApiForm):
    """What `POST /v1/tokens` takes."""

    organization = LineField(lazy_gettext("Short name of the space"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])
    password = PasswordField(lazy_gettext("Password"), [NEEDED])


class LinkForm(ApiForm):
    """What `POST /v1/sign-in-links` takes."""

    organization = LineField(lazy_gettext("Short name of the space"), [NEEDED])
    email = LineField(lazy_gettext("E-mail address"), [NEEDED, AN_EMAIL])


class TokenForm(ApiForm):
    """A token out of a mail."""

    token = HiddenField(validators=[NEEDED])


class InvitationForm(TokenForm):
    """What `POST /v1/invitations/acceptance` takes."""

    password = PasswordField(
        lazy_gettext("Choose a password"),
        [NEEDED, Length(min=12, message=lazy_gettext("At least 12 characters, please."))],
    )


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> str | Response:
    """Sign in with a password."""
    form = SignInForm(shown=_known())
    try:
        tokens = form.send(lambda body: api_on(None).post("/v1/tokens", body | _side()))
    except ApiProblem as problem:
        if problem.status != 401:
            raise
        form.refusal, tokens = [_("These do not fit together. Is the short name of the space right?")], None
    return enter(tokens) if tokens else render_template("entry/sign_in.html", form=form)


@blueprint.route("/sign-in/by-link", methods=["GET", "POST"])
def ask_for_link() -> str | Response:
    """Have a link mailed; the answer does not tell whether the address is known."""
    form = LinkForm(shown=_known())
    sent = form.send(lambda body: api_on(None).post("/v1/sign-in-links", body | _side()))
    return render_template("entry/by_link.html", form=form, sent=sent is not None)


@blueprint.route("/sign-in/link", methods=["GET", "POST"])
def follow_link() -> str | Response:
    """The page that a mailed link leads to; a button, because mail programs open links by themselves."""
    form = TokenForm(shown={"token": request.args.get("token", "")})
    tokens = None
    try:
        tokens = form.send(lambda body: api_on(None).post("/v1/tokens", {"grant": "link", **body}))
    except ApiProblem as problem:
        if problem.status != 401:
            raise
        form.refusal = [_("This link was used before or is too old. Ask for a new one.")]
    return enter(tokens) if tokens else render_template("entry/link.html", form=form)


@blueprint.route("/invitation", methods=["GET", "POST"])
def take_invitation() -> str | Response:
    """Choose a password and come in."""
    form = InvitationForm(shown={"token": request.args.get("token", "")})
    tokens = None
    try:
        tokens = form.send(lambda body: api_on(None).post("/v1/invitations/acceptance", body))
    except ApiProblem as problem:
        if problem.status != 401:
            raise
        form.refusal = [_("This invitation was used before or is too old. Ask for a new one.")]
    return enter(tokens) if tokens else render_template("entry/invitation.html", form=form)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Leave one portal, here and at the gateway."""
    seat = seat_of(MEMBER if request.form.get("side") == MEMBER else STAFF)
    if seat is not None:
        leave_seat(seat)
        if seat.refresh_token:
            api_on(None).send("POST", "/v1/tokens/revocation", body={"refresh_token": seat.refresh_token})
        flash(_("You are signed out."), "success")
    return redirect(url_for("entry.start"))


def _known() -> dict[str, str]:
    return {"organization": request.args.get("organization") or session.get("slug") or ""}


def _side() -> dict[str, str]:
    """Who comes from a page for members, or from the storefront, wants in as a member."""
    wanted = request.args.get("next", "")
    return {"side": "member"} if wanted.startswith(("/portal/", "/hub/")) else {}
