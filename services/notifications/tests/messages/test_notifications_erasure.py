"""A member who is erased: what they were told is gone, and nothing more is said to them; others keep theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.ids import encode_id, new_id
from common.testing.plugin import ApiClient
from notifications.messages.publishes import notification_failed
from notifications.models import Attachment, MemberCopy, Notification, SuppressedAddress

Example = Callable[..., Any]


def customer(member: str, name: str) -> dict[str, Any]:
    """Whom a bill is for."""
    address = f"{name.lower()}@example.com"
    return {"member_id": member, "company_id": None, "name": name, "email": address, "language": "en"}


def erased(example: Example, member: str) -> Any:
    """As `members` tells it."""
    nothing = {"email": None, "billing": {}, "language": None}
    return example(
        "member-changed", member_id=member, display_name="Erased member", status="erased", version=9, **nothing
    )


@pytest.fixture
def told(live: Any, example: Example) -> tuple[str, str]:
    """Ada and Grace, each with an invoice, a failed receipt and what the team heard of both."""
    members = (str(new_id()), str(new_id()))
    for member, name in zip(members, ("Ada", "Grace"), strict=True):
        whose, about = customer(member, name), {"invoice_id": str(new_id())}
        paid = {**about, "booking_ids": []}
        live.send(example("member-changed", member_id=member, display_name=name, version=1))
        live.send(example("invoice-sent", customer=whose, to=whose["email"], **about))
        live.send(example("payment-reversed", customer=whose, payment_id=str(new_id()), **paid))
        unknown = whose | {"email": ""}
        live.send(example("payment-succeeded", customer=unknown, payment_id=str(new_id()), **paid))
    for row in live.rows(Notification, Notification.state == "failed"):
        live.send(notification_failed(row))
    return members


def test_an_erased_members_mails_are_gone_and_the_others_stay(
    live: Any, example: Example, told: tuple[str, str]
) -> None:
    ada, grace = told
    with live.database.session(live.organization_id) as session:
        for name in ("ada", "grace"):
            row = SuppressedAddress(address=f"{name}@example.com", reason="gone", created_at=session.now())
            session.add(row)
        session.commit()
    live.send(erased(example, ada))
    left = live.rows(Notification)
    assert {str(row.member_id) for row in left if row.member_id} == {grace}
    assert sorted(row.template for row in left) == [
        "invoice",
        "notification-failed",
        "payment-reversed",
        "payment-taken-back",
        "receipt",
    ]
    with live.database.session(live.organization_id) as session:
        stored = {row.template: session.get_one(Notification, row.id).html for row in left}
    assert [failure["to"] for row in left for failure in row.occurrences] == ["Grace"]
    # The alert that waits is written anew when it leaves.
    assert not [template for template, html in stored.items() if "Ada" in html and template != "notification-failed"]
    assert len(live.rows(Attachment)) == 1
    assert [row.address for row in live.rows(SuppressedAddress)] == ["grace@example.com"]
    (copy,) = live.rows(MemberCopy, MemberCopy.id == ada)
    assert (copy.name, copy.email, copy.billing_email) == ("Erased member", None, None)


def test_nobody_writes_to_an_erased_member_any_more(live: Any, example: Example) -> None:
    member = str(new_id())
    live.send(erased(example, member))
    live.send(example("invoice-reminder-due", customer=customer(member, "Ada"), day=3))
    live.send(example("booking-created", booking_id=str(new_id()), member_id=member, status="confirmed"))
    assert live.rows(Notification) == []


def test_acc_1_staff_of_some_locations_see_the_mail_of_their_customers(
    notifications_app: Any, live: Any, example: Example, sign_in: Callable[..., ApiClient]
) -> None:
    here, there = str(new_id()), str(new_id())
    mails = {}
    for place in (here, there, None):
        member = str(new_id())
        live.send(example("member-changed", member_id=member, location_id=place))
        live.send(example("payment-reversed", customer=customer(member, "Ada"), payment_id=str(new_id())))
        (mail,) = live.rows(Notification, Notification.member_id == member)
        mails[place] = encode_id("ntf", mail.id)
    desk = sign_in(notifications_app, live.organization_id, "front_desk", locations=[here])
    assert {row["id"] for row in desk.get("/v1/notifications").json["items"]} == {mails[here], mails[None]}
    for place, status in ((here, 200), (None, 200), (there, 404)):
        assert desk.get(f"/v1/notifications/{mails[place]}").status_code == status
    assert desk.post(f"/v1/notifications/{mails[there]}/resend").status_code == 404
    owner = sign_in(notifications_app, live.organization_id)
    assert len(owner.get("/v1/notifications").json["items"]) == 6
