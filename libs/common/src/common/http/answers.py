"""Answers as JSON, written by msgspec: every request has one."""

from __future__ import annotations

from typing import Any

import msgspec
from flask import Response
from flask.json.provider import DefaultJSONProvider


class AnswerJson(DefaultJSONProvider):
    """Flask's JSON, in the order of the schemas' fields, as UTF-8 text."""

    sort_keys = False

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """An answer with a value as its body."""
        value = self._prepare_response_obj(args, kwargs)
        body = msgspec.json.encode(value, enc_hook=self.default) + b"\n"
        return Response(body, mimetype=self.mimetype)
