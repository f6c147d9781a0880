"""``/v1/notifications`` and ``/v1/notification-templates`` through the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common.ids import encode_id, new_id
from common.testing.plugin import ApiClient
from notifications.models import Attachment, Notification

Example = Callable[..., Any]
SignIn = Callable[..., ApiClient]


@pytest.fixture
def owner(notifications_app: Any, rehearsal: Any, sign_in: SignIn) -> ApiClient:
    """The owner of the rehearsal organisation."""
    return sign_in(notifications_app, rehearsal.organization_id)


def _customer(member_id: Any, **more: Any) -> dict[str, Any]:
    return {"member_id": str(member_id), "company_id": None, "name": "Ada", "email": "ada@example.com", **more}


def test_a_members_invoice_and_receipt_are_found_by_member_and_by_invoice(
    rehearsal: Any, owner: ApiClient, example: Example
) -> None:
    member, invoice = new_id(), str(new_id())
    rehearsal.send(example("invoice-sent", customer=_customer(member), invoice_id=invoice, to="ada@example.com"))
    rehearsal.send(example("payment-succeeded", customer=_customer(member), invoice_id=invoice))
    rehearsal.send(example("payment-succeeded", customer=_customer(new_id()), payment_id=str(new_id())))
    found = owner.get(f"/v1/notifications?member_id={encode_id('mem', member)}").json["items"]
    assert [item["template"] for item in found] == ["receipt", "invoice"]
    assert {item["to"] for item in found} == {"ada@example.com"}
    assert {item["state"] for item in found} == {"sent"}
    assert {item["sent_at"] for item in found} == {"2027-02-12T08:00:00Z"}
    assert found[0]["invoice_id"] == f"inv_{invoice.replace('-', '')}"
    assert found[0]["payment_id"].startswith("pay_")
    assert "45.00" in found[0]["body"]
    by_invoice = owner.get(f"/v1/notifications?invoice_id={found[0]['invoice_id']}&template=invoice").json["items"]
    assert [item["id"] for item in by_invoice] == [found[1]["id"]]


def test_one_notification_shows_html_text_and_its_attachment(
    rehearsal: Any, owner: ApiClient, example: Example
) -> None:
    rehearsal.send(example("invoice-sent", customer=_customer(new_id()), number="INV-7"))
    item = owner.get("/v1/notifications").json["items"][0]
    whole = owner.get(f"/v1/notifications/{item['id']}")
    assert "<table" in whole.json["html"]
    assert whole.json["text"] == whole.json["body"]
    assert whole.headers["ETag"]
    (file,) = whole.json["attachments"]
    assert file["filename"] == "INV-7.pdf"
    download = owner.get(file["href"])
    assert download.data == b"%PDF-"
    assert "attachment" in download.headers["Content-Disposition"]


def test_lists_page_by_cursor(rehearsal: Any, owner: ApiClient, example: Example) -> None:
    for _ in range(5):
        rehearsal.send(example("payment-succeeded", payment_id=str(new_id())))
    first = owner.get("/v1/notifications?limit=3").json
    second = owner.get(f"/v1/notifications?limit=3&cursor={first['next_cursor']}").json
    assert len({item["id"] for item in first["items"] + second["items"]}) == 5
    assert second["next_cursor"] is None


def test_members_see_their_own_and_billing_persons_their_companys(
    notifications_app: Any, rehearsal: Any, example: Example, sign_in: SignIn
) -> None:
    member, company = new_id(), new_id()
    rehearsal.send(example("payment-succeeded", customer=_customer(member), payment_id=str(new_id())))
    rehearsal.send(example("payment-succeeded", customer=_customer(new_id()), payment_id=str(new_id())))
    for_company = {**_customer(member), "member_id": None, "company_id": str(company)}
    rehearsal.send(example("payment-succeeded", customer=for_company, payment_id=str(new_id())))
    claims = {"member": str(member), "company": str(company)}
    plain = sign_in(notifications_app, rehearsal.organization_id, "member", **claims)
    billing = sign_in(notifications_app, rehearsal.organization_id, "member", **claims, billing_person=True)
    assert len(plain.get("/v1/notifications").json["items"]) == 1
    assert len(billing.get("/v1/notifications").json["items"]) == 2
    for row in rehearsal.rows(Notification):
        expected = 200 if row.member_id == member else 404
        assert plain.get(f"/v1/notifications/{encode_id('ntf', row.id)}").status_code == expected


def test_another_organisations_notification_is_not_found(
    notifications_app: Any, rehearsal: Any, live: Any, example: Example, sign_in: SignIn
) -> None:
    rehearsal.send(example("invoice-sent"))
    stranger = sign_in(notifications_app, live.organization_id)
    (row,), (file,) = rehearsal.rows(Notification), rehearsal.rows(Attachment)
    path = f"/v1/notifications/{encode_id('ntf', row.id)}"
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/attachments/{encode_id('att', file.id)}").status_code == 404
    assert stranger.post(f"{path}/resend").status_code == 404
    assert stranger.get("/v1/notifications").json["items"] == []


def test_a_resend_is_a_new_sending_of_the_same_notification(
    notifications_app: Any, live: Any, example: Example, sign_in: SignIn
) -> None:
    live.send(example("payment-succeeded"))
    (row,) = live.rows(Notification)
    desk = sign_in(notifications_app, live.organization_id, "front_desk")
    path = f"/v1/notifications/{encode_id('ntf', row.id)}/resend"
    assert desk.post(path).json["code"] == "already_under_way"
    live.update(Notification, row.id, state="sent", due_at=None)
    again = desk.post(path)
    assert again.status_code == 200
    assert again.json["state"] == "queued"
    (row,) = live.rows(Notification)
    assert (row.sendings, row.state) == (2, "queued")
    assert sign_in(notifications_app, live.organization_id, "accountant").post(path).status_code == 403
    assert desk.post(path, {"to": "x"}).status_code == 422


def test_a_resend_in_a_rehearsal_counts_as_sent_at_once(rehearsal: Any, owner: ApiClient, example: Example) -> None:
    rehearsal.send(example("payment-succeeded"))
    (row,) = rehearsal.rows(Notification)
    assert owner.post(f"/v1/notifications/{encode_id('ntf', row.id)}/resend").json["state"] == "sent"


def test_a_resend_after_the_address_became_known_goes_there(
    notifications_app: Any, live: Any, example: Example, sign_in: SignIn
) -> None:
    member = str(new_id())
    live.send(example("member-changed", member_id=member, email=None, billing={}, version=1))
    live.send(example("payment-succeeded", customer={"member_id": member, "name": "Ada"}))
    live.send(example("member-changed", member_id=member, email="ada@example.com", billing={}, version=2))
    (row,) = live.rows(Notification)
    client = sign_in(notifications_app, live.organization_id)
    again = client.post(f"/v1/notifications/{encode_id('ntf', row.id)}/resend").json
    assert (again["state"], again["to"]) == ("queued", "ada@example.com")


def test_a_bounced_address_gets_no_more_mail_until_somebody_resends(
    notifications_app: Any, live: Any, example: Example, sign_in: SignIn
) -> None:
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    (row,) = live.rows(Notification)
    live.update(Notification, row.id, state="sent", due_at=None)
    client = sign_in(notifications_app, live.organization_id)
    path = f"/v1/notifications/{encode_id('ntf', row.id)}"
    bounced = client.post(f"{path}/bounces", {"kind": "hard", "reason": "550 unknown"})
    assert bounced.json["state"] == "failed"
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    assert live.rows(Notification)[-1].state == "failed"
    assert client.post(f"{path}/resend").json["state"] == "queued"
    live.send(example("payment-succeeded", payment_id=str(new_id())))
    assert live.rows(Notification)[-1].state == "queued"


def test_a_link_that_signs_in_is_shown_to_the_owner_of_a_rehearsal_only(
    notifications_app: Any, rehearsal: Any, live: Any, example: Example, sign_in: SignIn
) -> None:
    for post, role, readable in (
        (rehearsal, "owner", True),
        (rehearsal, "admin", False),
        (live, "owner", False),
        (live, "front_desk", False),
    ):
        post.send(example("sign-in-link-requested", token="t0ken-of-somebody"))
        client = sign_in(notifications_app, post.organization_id, role)
        item = client.get("/v1/notifications").json["items"][0]
        whole = client.get(f"/v1/notifications/{item['id']}").json
        assert (item["body"] is not None, "t0ken" in str(whole)) == (readable, readable)
        assert client.post(f"/v1/notifications/{item['id']}/resend").status_code in {403, 409}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/notifications?member_id=nonsense",
        "/v1/notifications?state=lost",
        "/v1/notifications?template=poem",
        "/v1/notifications?cursor=x",
        "/v1/notifications?limit=0",
    ],
)
def test_bad_queries_are_refused(owner: ApiClient, path: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_ids_of_nothing_are_not_found(owner: ApiClient) -> None:
    for path in ("/v1/notifications/x", f"/v1/notifications/{encode_id('ntf', new_id())}"):
        assert owner.get(path).status_code == 404
        assert owner.post(f"{path}/resend").status_code == 404


PATH = "/v1/notification-templates/receipt/en"
OWN = {"subject": "Thanks: {{ payment.amount | money }}", "html": "<p>Ahoy {{ recipient.name }}</p>"}


def test_an_own_wording_is_used_from_then_on_and_can_be_dropped(
    rehearsal: Any, owner: ApiClient, example: Example
) -> None:
    assert owner.get(PATH).json["is_custom"] is False
    assert owner.put(PATH, OWN).json["is_custom"] is True
    assert owner.put(PATH, OWN).json["version"] == 2
    rehearsal.send(example("payment-succeeded"))
    (row,) = rehearsal.rows(Notification)
    assert row.subject == "Thanks: €45.00"
    assert row.text.startswith("Ahoy Example name\n")
    assert owner.delete(PATH).status_code == 204
    assert owner.get(PATH).json["is_custom"] is False


def test_a_wording_that_fails_on_real_data_falls_back_to_ours(
    rehearsal: Any, owner: ApiClient, example: Example
) -> None:
    fragile = {**OWN, "html": "{% if payment.reference %}{{ payment.nothing.at_all }}{% endif %}<p>Hi</p>"}
    assert owner.put(PATH, fragile).status_code == 200
    rehearsal.send(example("payment-succeeded"))
    (row,) = rehearsal.rows(Notification)
    assert row.subject == "Receipt: €45.00 received"


def test_customers_names_are_escaped_in_own_wordings_too(rehearsal: Any, owner: ApiClient, example: Example) -> None:
    owner.put(PATH, OWN)
    rehearsal.send(example("payment-succeeded", customer=_customer(new_id(), name="<script>alert(1)</script>")))
    (row,) = rehearsal.rows(Notification)
    item = owner.get(f"/v1/notifications/{encode_id('ntf', row.id)}").json
    assert "<script>" not in item["html"]
    assert "&lt;script&gt;" in item["html"]
    assert "Ahoy <script>alert(1)</script>" in item["text"]


def test_a_draft_is_previewed_without_being_kept(owner: ApiClient) -> None:
    seen = owner.post("/v1/notification-templates/receipt/preview", {"language": "de", "subject": "Danke!"})
    assert seen.json["subject"] == "Danke!"
    assert "345,00\N{NO-BREAK SPACE}€" in seen.json["html"]
    assert owner.get(PATH.replace("/en", "/de")).json["is_custom"] is False


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ("<p>{{ recipient.name </p>", "line 1"),
        ("{% if x %}", "line 1"),
        ("{{ payment.colour }}", "sample data"),
        ("{{ nothing }}", "sample data"),
        ("{{ ''.__class__.__mro__ }}", "sample data"),
        ("{{ recipient.name.upper() }}", "call"),
        ("{% for i in range(9) %}x{% endfor %}", "call"),
        ("{{ 'x' * 1000000000 }}", "mul"),
        ("{% set x = 1 %}", "assign"),
        ("{% include 'x' %}", "include"),
        ("{% macro m() %}{% endmacro %}", "macro"),
        ("{{ payment | attr('x') }}", "filter"),
        ("<script>alert(1)</script>", "script"),
        ('<img src="x" onerror="alert(1)">', "onerror"),
    ],
)
def test_a_wording_with_a_fault_is_refused_with_the_reason_and_not_kept(owner: ApiClient, html: str, says: str) -> None:
    for answer in (
        owner.put(PATH, {**OWN, "html": html}),
        owner.post("/v1/notification-templates/receipt/preview", {"html": html}),
    ):
        assert answer.status_code == 422, html
        assert answer.json["code"] == "template_invalid"
        assert answer.json["errors"][0]["pointer"] == "/html"
        assert says in answer.json["detail"].lower()
    assert owner.get(PATH).json["is_custom"] is False


def test_all_mails_are_listed_in_both_languages_with_their_variables(owner: ApiClient) -> None:
    items = owner.get("/v1/notification-templates").json["items"]
    assert {item["language"] for item in items} == {"en", "de"}
    receipt = next(item for item in items if item["event"] == "receipt")
    assert "payment.amount" in receipt["variables"]
    assert owner.get("/v1/notification-templates/poem/en").status_code == 404
    assert owner.put("/v1/notification-templates/receipt/fr", OWN).status_code == 404


def test_only_owners_and_admins_change_wordings(notifications_app: Any, rehearsal: Any, sign_in: SignIn) -> None:
    assert sign_in(notifications_app, rehearsal.organization_id, "front_desk").put(PATH, OWN).status_code == 403
    assert sign_in(notifications_app, rehearsal.organization_id, "member").get(PATH).status_code == 403
    assert sign_in(notifications_app, None).get("/v1/notifications").status_code == 401
