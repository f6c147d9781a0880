"""Members and companies out of a CSV file: looked at first, then taken in."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from portal.admin.door import EDITORS, blueprint, require
from portal.api import api
from portal.forms import MAYBE, ApiForm, act
from portal.problems import FORM_STATUSES, ApiProblem
from portal.translation import gettext as _
from portal.translation import lazy_gettext, ngettext


class ImportForm(ApiForm):
    """A file, or its text: after the preview the text goes along, so that the file is chosen once."""

    file = FileField(lazy_gettext("CSV file"), [MAYBE])
    text = TextAreaField(lazy_gettext("Or paste its lines here"), [MAYBE])


@blueprint.route("/members/import", methods=["GET", "POST"], defaults={"kind": "members"})
@blueprint.route("/companies/import", methods=["GET", "POST"], defaults={"kind": "companies"})
def import_customers(kind: str) -> str | Response:
    """Preview what a file would do, then do it."""
    require(*EDITORS)
    form = ImportForm()
    report = _run(form, kind, dry_run=request.form.get("step") != "import") if form.validate_on_submit() else None
    if report and not report["dry_run"]:
        act(dict, ngettext("%(num)s row is taken in.", "%(num)s rows are taken in.", report["imported"]))
        if not report["failed"]:
            return redirect(url_for(f"admin.{kind}"))
    return render_template("admin/members/import.html", form=form, report=report, kind=kind)


def _run(form: ImportForm, kind: str, *, dry_run: bool) -> dict[str, Any] | None:
    try:
        form.text.data = _text(form)
        if not form.text.data:
            form.refusal = [_("Choose a file, or paste its lines.")]
            return None
        query = {"dry_run": "true"} if dry_run else {}
        report: dict[str, Any] = api().post_csv(f"/v1/{kind}/import", form.text.data, **query)
    except UnicodeDecodeError:
        form.refusal = [_("This is no text in UTF-8. Save the sheet as CSV UTF-8.")]
        return None
    except ApiProblem as problem:
        if problem.status not in FORM_STATUSES:
            raise
        form.take(problem)
        return None
    return report


def _text(form: ImportForm) -> str:
    if form.file.data:
        raw: bytes = form.file.data.read()
        return raw.decode("utf-8-sig")
    return str(form.text.data or "").strip()
