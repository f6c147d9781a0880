"""Every page of the Admin Portal is shown, asks little, and lets nobody's text become markup."""

from __future__ import annotations

from typing import Any

import pytest

PAGES = [
    "/admin/",
    "/admin/getting-paid",
    "/admin/calendar",
    "/admin/calendar?date=2027-02-15",
    "/admin/calendar?date=2027-02-15&view=week",
    "/admin/bookings",
    "/admin/bookings/new",
    "/admin/bookings/bkg_1",
    "/admin/members",
    "/admin/members/new",
    "/admin/members/import",
    "/admin/members/mem_1",
    "/admin/members/mem_1/edit",
    "/admin/members/mem_1/bookings",
    "/admin/members/mem_1/money",
    "/admin/members/mem_1/credits",
    "/admin/companies",
    "/admin/companies/new",
    "/admin/companies/com_1",
    "/admin/companies/com_1/edit",
    "/admin/companies/com_1/bookings",
    "/admin/companies/com_1/money",
    "/admin/companies/com_1/credits",
    "/admin/companies/import",
    "/admin/credit-notes",
    "/admin/credit-notes/crn_1",
    "/admin/collections",
    "/admin/promo-codes",
    "/admin/promo-codes/new",
    "/admin/promo-codes/pro_1",
    "/admin/notification-templates",
    "/admin/notification-templates/invoice/en",
    "/admin/webhook-endpoints",
    "/admin/webhook-endpoints/new",
    "/admin/webhook-endpoints/whk_1",
    "/admin/webhook-endpoints/whk_1/edit",
    "/admin/webhook-endpoints/whk_1/deliveries/dlv_1",
    "/admin/team/usr_2",
    "/admin/memberships",
    "/admin/memberships/new",
    "/admin/memberships/mbs_1",
    "/admin/invoices",
    "/admin/invoices/new",
    "/admin/invoices/inv_1",
    "/admin/billing-runs",
    "/admin/billing-runs/run_1",
    "/admin/payments",
    "/admin/payments/pay_1",
    "/admin/fees",
    "/admin/fees/new",
    "/admin/fees/fee_1",
    "/admin/members/mem_1/deposits/dep_1",
    "/admin/settings/taxes",
    "/admin/locations",
    "/admin/locations/new",
    "/admin/locations/loc_1",
    "/admin/resources",
    "/admin/resources/new",
    "/admin/resources/res_1",
    "/admin/resource-rates",
    "/admin/resource-rates/new",
    "/admin/resource-rates/rat_1",
    "/admin/plans",
    "/admin/plans/new",
    "/admin/plans/pln_1",
    "/admin/storefront",
    "/admin/notifications",
    "/admin/notifications/ntf_1",
    "/admin/payment-gateways",
    "/admin/payment-gateways/new",
    "/admin/settings/billing",
    "/admin/settings/organization",
    "/admin/team",
    "/admin/api-keys",
    "/admin/audit-log",
    "/admin/account",
    "/admin/rehearsal",
]


@pytest.mark.parametrize("path", PAGES)
def test_admin_page_is_shown_with_a_handful_of_calls_and_no_open_markup(owner: Any, gateway: Any, path: str) -> None:
    owner.read("/admin/account")  # reads the clock, which pages of the next minute share
    gateway.asked.clear()
    page = owner.read(path)
    assert len(gateway.asked) <= 5, [asked.path for asked in gateway.asked]
    assert "<h1>" in page
    assert "<script>alert" not in page
    assert "None" not in page.replace(">None<", "")
    assert all(asked.headers["Authorization"] == "Bearer access-1" for asked in gateway.asked)


@pytest.mark.parametrize("path", [page for page in PAGES if page.count("/") == 2 and "?" not in page])
def test_admin_page_of_an_empty_house_says_what_to_do(owner: Any, gateway: Any, path: str) -> None:
    nothing = {"items": [], "next_cursor": None}
    lists = [k for k in _list_paths() if k != "/v1/payments/pay_1/refunds"]
    gateway.answers |= {("GET", name): (200, nothing) for name in lists}
    assert "<h1>" in owner.read(path)


def _list_paths() -> list[str]:
    import portal_house

    return list(portal_house._LISTS)


@pytest.mark.parametrize("path", ["/admin/", "/admin/members", "/admin/invoices/inv_1"])
def test_strangers_are_sent_to_the_door_and_come_back(visitor: Any, path: str) -> None:
    answer = visitor.client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=")


def test_members_do_not_enter_the_admin_portal(member: Any) -> None:
    assert member.client.get("/admin/").status_code == 302


def test_a_service_that_is_down_leaves_the_dashboard_standing(owner: Any, gateway: Any) -> None:
    for path in ("/v1/bookings", "/v1/payments", "/v1/setup"):
        gateway.refuse("GET", path, 503, "unavailable", "not now")
    assert "Nothing booked today" in owner.read("/admin/")


def test_a_missing_thing_is_a_kind_page(owner: Any) -> None:
    answer = owner.client.get("/admin/members/mem_404")
    assert answer.status_code == 404
    assert "there is no such thing" in answer.get_data(as_text=True).lower()


def test_dashboard_adds_up_the_reports_and_draws_them(owner: Any) -> None:
    page = owner.read("/admin/")
    assert "€216.75" in page
    assert "Feb 2027 €179.14" in page
    assert "Dec 2026" not in page
    assert "12.5 %" in page


def test_dashboard_leads_to_the_checklist_and_names_the_next_step_after_the_page(owner: Any, gateway: Any) -> None:
    gateway.asked.clear()
    page = owner.read("/admin/")
    assert 'data-part="/admin/next-step"' in page
    assert "/v1/setup" not in [asked.path for asked in gateway.asked]
    part = owner.read("/admin/next-step")
    assert "Next: Create the services members pay for" in part
    assert "<html" not in part


def test_dashboard_of_a_house_that_is_set_up_speaks_of_the_checklist_no_more(owner: Any, gateway: Any) -> None:
    import portal_house

    done = {"steps": [{**step, "state": "done"} for step in portal_house.STEPS]}
    gateway.answers[("GET", "/v1/setup")] = (200, done)
    assert not owner.read("/admin/next-step").strip()
    assert "data-part" not in owner.read("/admin/")


def test_dashboard_counts_all_bookings_of_the_day_and_lists_the_first(owner: Any, gateway: Any) -> None:
    import portal_house

    gateway.answers[("GET", "/v1/reports/day")] = (200, {**portal_house.DAY, "bookings": 1234})
    page = owner.read("/admin/")
    assert "1,234" in page
    assert "All bookings of the day" in page
