"""Reports: all their rows in one answer, as JSON or as a table for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from common.http.schemas import QuerySchema, StrictSchema
from common.money import Money

CSV = {"type": "string"}


class ReportQuery(QuerySchema):
    """The form of a report: ``format=csv`` for a spreadsheet."""

    format = fields.String(validate=validate.OneOf(("json", "csv")), load_default="json")


def report_schema(row: type[Schema]) -> type[Schema]:
    """The answer of a report: all its rows."""
    name = row.__name__.removesuffix("Schema").removesuffix("Row") + "Report"
    return type(name, (StrictSchema,), {"items": fields.List(fields.Nested(row))})


def report(query: Mapping[str, Any], name: str, row: type[Schema], rows: Sequence[Any]) -> Any:
    """A report in the form that the query (a `ReportQuery`) asks for."""
    return as_csv(name, row(), rows) if query["format"] == "csv" else {"items": rows}


def as_csv(name: str, schema: Schema, rows: Iterable[Any]) -> Response:
    """Rows as a CSV file ``name.csv`` with the schema's fields as columns.

    Money is in major units; give the schema a field ``currency`` if there is any. No text begins like a formula.
    """
    columns = list(schema.fields)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        shown: Any = schema.dump(row)
        values = row if isinstance(row, Mapping) else {column: getattr(row, column) for column in columns}
        writer.writerow([_cell(values[column], shown[column]) for column in columns])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any, shown: Any) -> str:
    if isinstance(value, Money):
        return format(value.decimal(), "f")
    text = "" if shown is None else str(shown)
    return f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
