"""What the Admin Portal's forms send, and how refusals come back."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest


def test_the_search_of_a_picker_asks_for_a_few_and_tells_people_of_one_name_apart(owner: Any, gateway: Any) -> None:
    found = owner.client.get("/admin/search/customers?q=lind").get_json()["items"]
    assert gateway.last("GET", "/v1/members").query == {"q": "lind", "limit": 8, "sort": "name"}
    assert found[0] == {"value": "mem_1 Ada Lindqvist", "name": "Ada Lindqvist", "detail": "ada@harbour.example"}
    assert found[-1]["detail"] == "Company · office@nord.example"
    assert owner.client.get("/admin/search/customers?q=l").get_json() == {"items": []}


def test_a_picked_customer_is_sent_by_id(owner: Any, gateway: Any) -> None:
    form = {"customer": "com_1 Reederei Nord", "customer-text": "Reederei Nord", "name": "Printing", "price": "5"}
    assert owner.send("/admin/fees/new", form).status_code == 302
    assert gateway.last("POST", "/v1/fees").body["company_id"] == "com_1"


def test_a_typed_name_wins_over_the_one_chosen_before_and_several_hits_are_offered(owner: Any, gateway: Any) -> None:
    form = {"customer": "com_1 Reederei Nord", "customer-text": "a", "name": "Printing", "price": "5"}
    page = owner.send("/admin/fees/new", form).get_data(as_text=True)
    assert "Several fit; please choose one." in page
    assert 'value="mem_1 Ada Lindqvist"' in page
    assert not [asked for asked in gateway.asked if asked.path == "/v1/fees"]
    chosen = {**form, "customer-hit": "mem_1 Ada Lindqvist"}
    assert owner.send("/admin/fees/new", chosen).status_code == 302
    assert gateway.last("POST", "/v1/fees").body["member_id"] == "mem_1"


def test_an_empty_picker_is_a_fault_beside_its_field(owner: Any) -> None:
    page = owner.send("/admin/fees/new", {"customer": "", "customer-text": "", "name": "Printing"})
    assert "Please fill this in." in page.get_data(as_text=True)


def test_a_dragged_booking_is_moved_by_the_clock_of_its_place(owner: Any, gateway: Any) -> None:
    gateway.answers[("PATCH", "/v1/bookings/bkg_1")] = (200, {"start": "2027-02-16T10:00:00Z"})
    told = move(owner, start="2027-02-16T11:00", end="2027-02-16T14:00", resource_id="res_2").get_json()
    assert told == {"moved": True, "text": "Moved to 16 Feb 2027, 11:00."}
    sent = gateway.last("PATCH", "/v1/bookings/bkg_1").body
    assert sent == {"start": "2027-02-16T10:00:00Z", "end": "2027-02-16T13:00:00Z", "resource_id": "res_2"}


def test_a_drag_that_is_refused_says_why(owner: Any, gateway: Any) -> None:
    gateway.refuse("PATCH", "/v1/bookings/bkg_1", 409, "conflict", "that time is taken")
    told = move(owner, start="2027-02-16T11:00", end="2027-02-16T14:00").get_json()
    assert told == {"moved": False, "text": "Not moved: That time is taken."}
    assert move(owner, start="soon", end="2027-02-16T14:00").get_json()["moved"] is False


def move(owner: Any, **form: str) -> Any:
    return owner.send("/admin/calendar/moves", {"booking_id": "bkg_1", **form}, page="/admin/bookings/bkg_1")


def test_a_wording_is_previewed_as_typed_and_its_fault_is_shown(owner: Any, gateway: Any) -> None:
    form = {"subject": "Hello", "html": "<p>x</p>", "text": ""}
    gateway.answers[("POST", "/v1/notification-templates/invoice/preview")] = (
        200,
        {"subject": "Hello", "html": "<p>x</p>", "text": "x"},
    )
    answer = owner.send(PREVIEW, form, page=WORDING)
    assert 'srcdoc="&lt;p&gt;x&lt;/p&gt;"' in answer.get_data(as_text=True)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    asked = gateway.last("POST", "/v1/notification-templates/invoice/preview")
    assert asked.body == {"language": "en", "subject": "Hello", "html": "<p>x</p>", "text": None}
    assert "Idempotency-Key" not in asked.headers
    gateway.refuse("POST", "/v1/notification-templates/invoice/preview", 422, "template_invalid", "no", html="nope")
    assert "Nope." in owner.send(PREVIEW, form, page=WORDING).get_data(as_text=True)


WORDING = "/admin/notification-templates/invoice/en"
PREVIEW = f"{WORDING}/preview"


def test_a_wording_goes_back_to_the_standard(owner: Any, gateway: Any) -> None:
    owner.send(f"{WORDING}/reset", {}, page=WORDING)
    assert gateway.last("DELETE", "/v1/notification-templates/invoice/en")


def test_an_endpoint_that_is_told_everything_has_one_event(owner: Any, gateway: Any) -> None:
    gateway.answers[("POST", "/v1/webhook-endpoints")] = (201, {"id": "whk_1", "url": "https://x", "secret": "s3cret"})
    form = {"url": "https://door.example", "which": "all", "event_types": ["booking-created"], "enabled": "y"}
    page = owner.send("/admin/webhook-endpoints/new", form).get_data(as_text=True)
    assert "s3cret" in page
    sent = gateway.last("POST", "/v1/webhook-endpoints").body
    assert sent["event_types"] == ["*"]
    owner.send("/admin/webhook-endpoints/new", {**form, "which": "some"})
    assert gateway.last("POST", "/v1/webhook-endpoints").body["event_types"] == ["booking-created"]


def test_a_delivery_is_sent_again(owner: Any, gateway: Any) -> None:
    path = "/webhook-endpoints/whk_1/deliveries/dlv_1"
    owner.send(f"/admin{path}/replay", {}, page=f"/admin{path}")
    assert gateway.last("POST", f"/v1{path}/replay")


def test_a_promo_code_has_one_kind_of_discount(owner: Any, gateway: Any) -> None:
    form = {"code": "FRIENDS", "way": "amount", "percent": "10", "amount": "7.50", "scope__kinds": ["booking"]}
    owner.send("/admin/promo-codes/pro_1", form)
    sent = gateway.last("PATCH", "/v1/promo-codes/pro_1").body
    assert (sent["percent"], sent["amount"]) == (None, {"amount_minor": 750, "currency": "EUR"})
    assert sent["scope"] == {"kinds": ["booking"]}
    owner.send("/admin/promo-codes/new", {**form, "way": "percent"})
    assert gateway.last("POST", "/v1/promo-codes").body["percent"] == "10"


def test_a_picture_goes_up_as_it_is_and_a_text_file_does_not(owner: Any, gateway: Any) -> None:
    path, page = "/admin/resources/res_1/pictures", "/admin/resources/res_1"
    owner.send(path, {"picture": (BytesIO(b"png"), "room.png", "image/png"), "alt": "A table"}, page=page)
    asked = gateway.last("POST", "/v1/resources/res_1/pictures")
    assert (asked.body, asked.headers["Content-Type"], asked.query) == (b"png", "image/png", {"alt": "A table"})
    gateway.asked.clear()
    owner.send(path, {"picture": (BytesIO(b"x"), "x.txt", "text/plain")}, page=page)
    assert not [asked for asked in gateway.asked if asked.method == "POST"]


def test_a_cancellation_policy_in_steps_is_kept_whole(owner: Any, gateway: Any) -> None:
    room = {**owner_room(gateway), "cancellation_policy": {"steps": steps(96, 72, 48, 24), "no_show_percent": "100"}}
    gateway.answers[("GET", "/v1/resources/res_1")] = (200, room)
    page = owner.read("/admin/resources/res_1")
    assert 'value="96"' in page
    form = {
        "name": "Blue Room", "type": "meeting_room", "location_id": "loc_1", "capacity": "1", "visibility": "public",
        "cancel_hours_1": "96", "cancel_percent_1": "10", "cancel_hours_2": "72", "cancel_percent_2": "20",
        "no_show": "100",
    }  # fmt: skip
    owner.send("/admin/resources/res_1", form)
    policy = gateway.last("PATCH", "/v1/resources/res_1").body["cancellation_policy"]
    assert [step["hours_before"] for step in policy["steps"]] == [96, 72, 24]
    assert policy["no_show_percent"] == "100"


def owner_room(gateway: Any) -> dict[str, Any]:
    import portal_house

    return dict(portal_house.RESOURCES[0])


def steps(*hours: int) -> list[dict[str, Any]]:
    return [{"hours_before": number, "percent": "10"} for number in hours]


@pytest.mark.parametrize(("what", "field", "value"), [("credits", "hours", "4"), ("passes", "passes-days", "5")])
def test_hours_and_passes_are_given_to_a_member(owner: Any, gateway: Any, what: str, field: str, value: str) -> None:
    owner.send(f"/admin/members/mem_1/{what}", {field: value}, page="/admin/members/mem_1/credits")
    sent = gateway.last("POST", f"/v1/{what}").body
    assert sent["member_id"] == "mem_1"
    assert str(sent[field.removeprefix("passes-")]) == value


def test_a_dry_run_is_compared_with_the_last_run(owner: Any, gateway: Any) -> None:
    page = owner.send("/admin/billing-runs", {"as_of": "2027-03-01", "step": "dry"}).get_data(as_text=True)
    assert "Compared with the run up to 1 Feb 2027" in page
    assert "+€16.75" in page
    assert "no invoice" in page
    assert "40 customers differ" in page
    assert "Idempotency-Key" not in gateway.last("POST", "/v1/billing-runs").headers


def test_a_run_that_goes_on_is_followed(owner: Any, gateway: Any) -> None:
    import portal_house

    gateway.answers[("GET", "/v1/billing-runs/run_1")] = (200, {**portal_house.RUN, "status": "running"})
    page = owner.read("/admin/billing-runs/run_1")
    assert 'data-live="2"' in page
    assert "no price" in owner.read("/admin/billing-runs/run_1").lower()


def test_the_clock_of_the_header_is_asked_for_without_waiting(owner: Any, gateway: Any) -> None:
    owner.read("/admin/account")
    assert gateway.last("GET", "/v1/organization/clock").query == {"wait": "false"}


def test_a_rehearsal_that_has_not_settled_is_driven_on_and_followed(owner: Any, gateway: Any) -> None:
    moving = {"mode": "rehearsal", "now": "2027-02-15T07:00:00Z", "target": "2027-03-01T07:00:00Z", "settled": False}
    gateway.answers[("GET", "/v1/organization/clock")] = (200, moving)
    page = owner.read("/admin/rehearsal")
    assert gateway.last("GET", "/v1/organization/clock").query == {}
    assert 'data-live="1"' in page
    assert "Moving on to" in page


def test_the_timeline_alone_marks_what_is_new_and_sets_no_cookie(owner: Any) -> None:
    answer = owner.client.get("/admin/rehearsal/timeline?since=2027-02-12T00:00:00Z")
    assert "Set-Cookie" not in answer.headers
    assert ">new<" in answer.get_data(as_text=True)
    assert "<html" not in answer.get_data(as_text=True)


def test_promo_codes_show_how_often_they_were_used(owner: Any, gateway: Any) -> None:
    assert "3 of 5" in owner.read("/admin/promo-codes")
    assert gateway.last("GET", "/v1/promo-code-uses/bookings").query["promo_code_id"] == ["pro_1"]
