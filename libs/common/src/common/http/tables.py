"""Answers as tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response
from marshmallow import Schema

from common.money import Money


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
