"""Import of members and companies from CSV files: streamed, in batches, with a report about every faulty row.

Good rows are taken in and faulty ones are reported. A dry run does all the same work and rolls it back, so that its
report is the one that the real import would give. The whole file is one transaction.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert

from common import audit
from common.auth import Principal
from common.db import TenantSession
from common.errors import DomainError, InvalidError
from common.ids import encode_id, new_id
from common.messaging import outbox
from members.domain.csv_columns import (
    COMPANY_COLUMNS,
    MEMBER_COLUMNS,
    HeaderError,
    check_header,
    delimiter_of,
    fields_of,
)
from members.messages.publishes import company_changed, member_changed
from members.models import Company, CsvImport, LocationCopy, Member
from members.services.customers import merged_billing

BATCH = 1000
MAX_FAULTS = 1000
KINDS: dict[str, tuple[type[Member] | type[Company], tuple[str, ...]]] = {
    "members": (Member, MEMBER_COLUMNS),
    "companies": (Company, COMPANY_COLUMNS),
}
# Turns a row's fields into checked values; gives (values, faults by pointer).
ReadRow = Callable[[dict[str, Any]], tuple[dict[str, Any], dict[str, str]]]


@dataclass(slots=True)
class Report:
    """What became of a file. ``errors`` holds {row, pointer, detail} of the first thousand faults."""

    dry_run: bool
    rows: int = 0
    imported: int = 0
    failed: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, row: int, faults: dict[str, str]) -> None:
        """Count a faulty row and list its faults."""
        self.failed += 1
        room = max(0, MAX_FAULTS - len(self.errors))
        self.errors += [{"row": row, "pointer": p, "detail": d} for p, d in list(faults.items())[:room]]


@dataclass(frozen=True, slots=True)
class _Names:
    """What names in a file refer to; a name that several things have refers to none."""

    locations: dict[str, UUID]
    companies: dict[str, UUID]


class DigestedLines:
    """The lines of a UTF-8 stream, digested on the way; raises InvalidError for what is no UTF-8 text."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[str]:
        encoding = "utf-8-sig"
        for line in self._stream:
            self._digest.update(line)
            if b"\x00" in line:
                raise InvalidError("csv_invalid", "NUL characters are not accepted")
            try:
                yield line.decode(encoding)
            except UnicodeDecodeError as error:
                raise InvalidError("csv_invalid", "the file must be UTF-8 text") from error
            encoding = "utf-8"

    def digest(self) -> bytes:
        """Of all lines that were read, and of the rest of the stream, which this reads."""
        for line in self._stream:
            self._digest.update(line)
        return self._digest.digest()


def import_file(
    session: TenantSession,
    principal: Principal,
    kind: str,
    stream: Iterable[bytes],
    read_row: ReadRow,
    *,
    dry_run: bool,
    idempotency_key: str | None = None,
) -> tuple[dict[str, Any], bool]:
    """Import ``members`` or ``companies`` from lines of bytes; returns the report, and whether it is an earlier one.

    The same key and file get the first report again, the same key with another file raises InvalidError. Also raises
    InvalidError for an unreadable file and for unknown columns.
    """
    lines = DigestedLines(iter(stream))
    earlier = _earlier(session, idempotency_key) if not dry_run else None
    if earlier is not None:
        if (earlier.kind, earlier.digest) != (kind, lines.digest()):
            raise InvalidError("idempotency_key_reused", "this key was used with another file")
        return earlier.report, True
    report = Report(dry_run=dry_run)
    with session.begin_nested() as savepoint:
        _import_rows(session, principal, kind, _rows(lines, KINDS[kind][1]), read_row, report)
        if dry_run:
            savepoint.rollback()
    answer = {name: getattr(report, name) for name in Report.__slots__}
    if not dry_run:
        _remember(session, principal, kind, idempotency_key, lines.digest(), answer)
    return answer, False


def _earlier(session: TenantSession, key: str | None) -> CsvImport | None:
    """The import that was made under a key; the key is held until the end of the transaction."""
    if key is None:
        return None
    name = f"{session.organization_id} csv import {key}".encode()
    lock = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(lock)))
    return session.scalars(select(CsvImport).where(CsvImport.idempotency_key == key)).one_or_none()


def _remember(
    session: TenantSession, principal: Principal, kind: str, key: str | None, digest: bytes, report: dict[str, Any]
) -> None:
    row = CsvImport(
        kind=kind,
        idempotency_key=key,
        digest=digest,
        report=report,
        actor=principal.subject,
        created_at=session.clock.now(),
    )
    session.add(row)
    session.flush()
    counts = {name: report[name] for name in ("rows", "imported", "failed")}
    audit.record(session, f"{kind}.imported", encode_id("imp", row.id), counts)


def _rows(lines: Iterable[str], columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """(line number, fields) of every row; None for one with too many cells."""
    iterator = iter(lines)
    header_line = next(iterator, "")
    try:
        names = next(csv.reader([header_line], delimiter=delimiter_of(header_line)), [])
        header = [name.strip().lower() for name in names]
        check_header(header, columns)
        reader = csv.reader(iterator, delimiter=delimiter_of(header_line), strict=True)
        for cells in reader:
            if any(cells):
                fits = len(cells) <= len(header)
                yield reader.line_num + 1, fields_of(dict(zip(header, cells, strict=False))) if fits else None
    except HeaderError as error:
        raise InvalidError("csv_invalid", str(error)) from error
    except csv.Error as error:
        raise InvalidError("csv_invalid", f"the file is no readable CSV: {error}") from error


def _import_rows(
    session: TenantSession,
    principal: Principal,
    kind: str,
    rows: Iterator[tuple[int, dict[str, Any] | None]],
    read_row: ReadRow,
    report: Report,
) -> None:
    names = _names(session, principal)
    while batch := list(islice(rows, BATCH)):
        good: dict[UUID, tuple[int, dict[str, Any]]] = {}
        for line, cells in batch:
            report.rows += 1
            values, faults = _read(session, cells, names, read_row)
            if faults:
                report.refuse(line, faults)
            else:
                good[new_id()] = (line, values)
        _insert(session, kind, good, report)


def _read(
    session: TenantSession, cells: dict[str, Any] | None, names: _Names, read_row: ReadRow
) -> tuple[dict[str, Any], dict[str, str]]:
    """A row's values, ready to be inserted, and what is wrong with them."""
    if cells is None:
        return {}, {"/": "More cells than columns."}
    location, company = cells.pop("location", None), cells.pop("company", None)
    values, faults = read_row(cells)
    for name, cell, known in (("location", location, names.locations), ("company", company, names.companies)):
        if cell is not None and cell.casefold() not in known:
            faults[f"/{name}"] = f"There is not exactly one {name} of this name."
        elif cell is not None:
            values[f"{name}_id"] = known[cell.casefold()]
    if faults:
        return values, faults
    try:
        values["billing"] = merged_billing(session, {}, values.get("billing") or {})
    except DomainError as error:
        faults = {fault.pointer: fault.detail for fault in error.errors}
    return values, faults


def _names(session: TenantSession, principal: Principal) -> _Names:
    here = select(LocationCopy.name, LocationCopy.id).where(LocationCopy.archived.is_(False))
    if principal.location_ids is not None:
        here = here.where(LocationCopy.id.in_(principal.location_ids))
    locations = session.execute(here)
    companies = session.execute(select(Company.name, Company.id).where(Company.status == "active"))
    return _Names(_unique_names(locations), _unique_names(companies))


def _unique_names(pairs: Iterable[Row[str, UUID]]) -> dict[str, UUID]:
    found: dict[str, list[UUID]] = {}
    for name, row_id in pairs:
        found.setdefault(name.casefold(), []).append(row_id)
    return {name: ids[0] for name, ids in found.items() if len(ids) == 1}


def _insert(session: TenantSession, kind: str, good: dict[UUID, tuple[int, dict[str, Any]]], report: Report) -> None:
    """Insert a batch in one statement; rows whose address is taken are left out by the database and reported."""
    if not good:
        return
    model = KINDS[kind][0]
    fresh = {row_id: _complete(session, model, row_id, values) for row_id, (_, values) in good.items()}
    table = model.__table__
    statement = insert(table).on_conflict_do_nothing().returning(table.c.id)  # type: ignore[arg-type]
    inserted = set(session.execute(statement, list(fresh.values())).scalars())
    for row_id, (line, _) in good.items():
        if row_id not in inserted:
            report.refuse(line, {"/email": "Somebody else has this e-mail address."})
    report.imported += len(inserted)
    if not report.dry_run:
        _announce(session, model, [values for row_id, values in fresh.items() if row_id in inserted])


def _complete(
    session: TenantSession, model: type[Member] | type[Company], row_id: UUID, values: dict[str, Any]
) -> dict[str, Any]:
    """All columns of a new row, so that every row of a batch has the same ones."""
    row: dict[str, Any] = {column.key: None for column in model.__table__.columns}
    row |= {"auto_collect": True, "reminders": True, "status": "active", "version": 1}
    if model is Member:
        row |= {"is_billing_person": False, "is_contact_person": False}
    stamp = {"id": row_id, "organization_id": session.organization_id, "created_at": session.now()}
    return row | values | stamp


def _announce(session: TenantSession, model: type[Member] | type[Company], rows: list[dict[str, Any]]) -> None:
    for values in rows:
        # The announcement only reads the fields; a mapped object would cost more than all the rest of the row.
        row: Any = SimpleNamespace(**values)
        message = member_changed(row) if model is Member else company_changed(row)
        outbox.add(session, message, aggregate_id=row.id, aggregate_version=1)
