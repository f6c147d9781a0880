"""Errors that use cases raise; `common.http` turns them into problem+json, `common.messaging` into retries.

Each class has an HTTP status and each instance a stable ``code`` that clients may rely on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in a request body: a JSON pointer and a sentence about it."""

    pointer: str
    detail: str


class DomainError(Exception):
    """A refusal with a reason. ``code`` is stable, ``detail`` is a sentence for people, ``extra`` joins the body."""

    status: ClassVar[int] = 422

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail or code
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class BadRequestError(DomainError):
    """400: the request cannot be understood (a missing idempotency key, say)."""

    status = 400


class UnauthenticatedError(DomainError):
    """401: nobody, or nobody we know, is asking."""

    status = 401


class ForbiddenError(DomainError):
    """403: the caller's role may not do this."""

    status = 403


class NotFoundError(DomainError):
    """404: there is no such thing, or it belongs to somebody else."""

    status = 404


class ConflictError(DomainError):
    """409: the state of things does not allow it (a slot taken, an invoice already paid)."""

    status = 409


class PreconditionFailedError(DomainError):
    """412: the thing changed since the caller read it (If-Match)."""

    status = 412


class InvalidError(DomainError):
    """422: well-formed, and wrong by the rules (end before start, wrong currency)."""

    status = 422


class TooManyRequestsError(DomainError):
    """429: slow down; ``headers`` carries Retry-After."""

    status = 429


class UnavailableError(DomainError):
    """503: something that this needs is down just now; trying again later is right."""

    status = 503


class TransientError(Exception):
    """A message handler cannot finish now and should be retried later (a lock, a network, a row not yet here)."""
