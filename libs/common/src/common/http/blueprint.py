"""flask-smorest's blueprint, with our answer for wrong content types and problem schemas in the documents."""

from __future__ import annotations

from functools import wraps
from json import JSONDecodeError
from typing import Any

from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from flask_smorest.utils import resolve_schema_instance
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from common.http.work import current_request


class _BodyParser(FlaskParser):
    """Reads bodies; numbers too long and parts too deep for Python's parser are faults of the request, not ours."""

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except (JSONDecodeError, UnicodeDecodeError):
            raise
        except (RecursionError, ValueError) as error:
            raise BadRequest("the body's JSON is nested too deeply, or has a number of too many digits") from error


class Blueprint(SmorestBlueprint):
    """A group of routes of one service."""

    ARGUMENTS_PARSER = _BodyParser()

    def arguments(self, schema: Any, *, location: str = "json", **kwargs: Any) -> Any:
        """As flask-smorest's; a body of another type than JSON is 415 and not a misleading 422."""
        # One instance for all requests: webargs would make a new one, with all its fields, for each of them.
        decorate = super().arguments(resolve_schema_instance(schema), location=location, **kwargs)
        if location != "json":
            return decorate

        def with_type_check(view: Any) -> Any:
            decorated = decorate(view)

            @wraps(decorated)
            def checked(*args: Any, **inner: Any) -> Any:
                asked = current_request()
                if asked.get_data(cache=True) and not asked.is_json:
                    raise UnsupportedMediaType("the body must be application/json")
                return decorated(*args, **inner)

            return checked

        return with_type_check
