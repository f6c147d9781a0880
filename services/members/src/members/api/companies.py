"""``/v1/companies``."""

from __future__ import annotations

from typing import Any

from common.auth import Role, allow, current_principal
from common.auth.access import STAFF
from common.http import Blueprint, check_if_match, current_session, idempotent, page, page_schema, remember_etag
from common.ids import decode_path_id
from members.api.people_schemas import CompanyInSchema, CompanyPatchSchema, CompanyQuery, CompanySchema
from members.models import Company
from members.services import companies

blueprint = Blueprint("companies", __name__, description="Firms whose people use the space")
HOSTS = (Role.OWNER, Role.ADMIN, Role.FRONT_DESK)


def _find(company_id: str, *, lock: bool = False) -> Company:
    return companies.find_company(current_session(), current_principal(), decode_path_id("com", company_id), lock=lock)


@blueprint.route("/v1/companies", methods=["GET"])
@allow(*STAFF, Role.MEMBER)
@blueprint.arguments(CompanyQuery, location="query")
@blueprint.response(200, page_schema(CompanySchema))
def list_companies(query: dict[str, Any]) -> dict[str, Any]:
    """List companies; members see their own."""
    statement = companies.search(current_principal(), query)
    sorts: dict[str, Any] = {"name": Company.name, "created_at": Company.created_at}
    return page(current_session(), statement, query, key=Company.id, sorts=sorts)


@blueprint.route("/v1/companies", methods=["POST"])
@allow(*HOSTS)
@idempotent()
@blueprint.arguments(CompanyInSchema)
@blueprint.response(201, CompanySchema)
def create_company(body: dict[str, Any]) -> Company:
    """Take a company in."""
    company = companies.create_company(current_session(), current_principal(), **body)
    remember_etag(company)
    return company


@blueprint.route("/v1/companies/<company_id>", methods=["GET"])
@allow(*STAFF, Role.MEMBER)
@blueprint.response(200, CompanySchema)
def get_company(company_id: str) -> Company:
    """Show a company."""
    company = _find(company_id)
    remember_etag(company)
    return company


@blueprint.route("/v1/companies/<company_id>", methods=["PATCH"])
@allow(*HOSTS, Role.MEMBER)
@blueprint.arguments(CompanyPatchSchema(partial=True))
@blueprint.response(200, CompanySchema)
def change_company(body: dict[str, Any], company_id: str) -> Company:
    """Change a company; its contact persons may change its name, addresses and language."""
    company = _find(company_id, lock=True)
    check_if_match(company)
    companies.change_company(current_session(), current_principal(), company, **body)
    remember_etag(company)
    return company


@blueprint.route("/v1/companies/<company_id>", methods=["DELETE"])
@allow(*HOSTS)
@blueprint.response(204)
def archive_company(company_id: str) -> None:
    """Archive a company without active members."""
    company = _find(company_id, lock=True)
    check_if_match(company)
    companies.change_company(current_session(), current_principal(), company, status="archived")
