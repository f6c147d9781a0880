"""Every mail in every language: renders, says the same things, escapes, and stays inside its sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_house import HOUSE

from common.errors import InvalidError
from common.money import Money
from notifications.domain.backoff import DELAYS, expiry, next_attempt
from notifications.domain.templates import LANGUAGES, TEMPLATES, choose_language
from notifications.mail import style
from notifications.mail.filters import money_text, when_text
from notifications.mail.plain import plain_text
from notifications.mail.rendering import mail_locale, render
from notifications.mail.samples import sample
from notifications.mail.sandbox import check_source
from notifications.mail.wordings import Wording, built_in

DASH = "\N{NO-BREAK SPACE}–\N{NO-BREAK SPACE}"
EVERY = [(template, language) for template in TEMPLATES for language in LANGUAGES]


class Balance(HTMLParser):
    """Counts tags that are left open."""

    VOID = {"meta", "img", "br"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(("template", "language"), EVERY)
def test_every_mail_renders_in_every_language_within_its_own_rules(template: str, language: str) -> None:
    wording = built_in(template, language)
    check_source(wording.subject, "/subject")
    check_source(wording.html, "/html")
    mail = render(wording, sample(template, HOUSE), HOUSE, language)
    balance = Balance()
    balance.feed(mail.html)
    assert balance.open == []
    assert mail.subject
    assert "\n" not in mail.subject
    assert "{{" not in mail.html + mail.text + mail.subject
    assert "Harbour &amp; Works" in mail.html
    assert "Harbour & Works" in mail.text
    assert "<" not in mail.text


@pytest.mark.parametrize("template", TEMPLATES)
def test_both_languages_use_the_same_facts(template: str) -> None:
    def facts(language: str) -> set[str]:
        source = built_in(template, language).html
        words = source.replace("{", " ").replace("}", " ").replace(")", " ").replace("(", " ").replace(",", " ").split()
        return {word for word in words if "." in word and word.split(".")[0] in sample(template, HOUSE)}

    assert facts("en") == facts("de")


def test_money_dates_and_times_are_written_as_readers_expect() -> None:
    assert money_text(Money(123450, "EUR"), "en_GB") == "€1,234.50"
    assert money_text(Money(123450, "EUR"), "de_DE") == "1.234,50\N{NO-BREAK SPACE}€"
    assert money_text(Money(1500, "JPY"), "en_GB") == "JP¥1,500"
    assert money_text(Money(1500, "KWD"), "en_GB") == "KWD1.500"
    start, end = datetime(2027, 2, 15, 8, tzinfo=UTC), datetime(2027, 2, 15, 11, tzinfo=UTC)
    assert when_text(start, end, "Europe/Berlin", "en_GB") == f"Monday, 15 February 2027, 09:00{DASH}12:00"
    assert when_text(start, end, "America/New_York", "en_GB").endswith(f"03:00{DASH}06:00")
    assert when_text(start, end.replace(day=16), "Europe/Berlin", "de_DE").count("2027") == 2


@given(st.integers(-(10**14), 10**14), st.sampled_from(["EUR", "JPY", "KWD", "CHF"]))
@settings(max_examples=60)
def test_written_money_keeps_every_digit_mon_1(minor: int, currency: str) -> None:
    digits = "".join(c for c in money_text(Money(minor, currency), "en_GB") if c.isdigit())
    assert int(digits) == abs(minor)


@pytest.mark.parametrize(
    ("language", "country", "locale"),
    [("en", "DE", "en_GB"), ("en", "US", "en_US"), ("de", "AT", "de_AT"), ("de", "US", "de_DE")],
)
def test_locale_follows_language_and_country(language: str, country: str, locale: str) -> None:
    assert mail_locale(language, country) == locale


@pytest.mark.parametrize(
    ("wishes", "language"), [(("de-AT", "en"), "de"), ((None, "de"), "de"), (("fr", "de"), "de"), (("fr", None), "en")]
)
def test_the_first_language_that_we_write_is_taken(wishes: tuple[str | None, ...], language: str) -> None:
    assert choose_language(*wishes) == language


def test_the_organisations_colour_and_logo_are_used_and_nonsense_is_not() -> None:
    def mail(**profile: Any) -> str:
        house = replace(HOUSE, profile=profile)
        return render(built_in("receipt", "en"), sample("receipt", house), house, "en").html

    assert style.DEFAULT_COLOR in mail(brand_colour="red;background:url(x)")
    assert 'src="https://harbour.example/logo.png"' in mail(logo="https://harbour.example/logo.png")
    assert "javascript" not in mail(logo="javascript:alert(1)")
    invoice = render(
        built_in("invoice", "en"), sample("invoice", HOUSE), replace(HOUSE, profile={"brand_colour": "#AABB00"}), "en"
    )
    assert "background-color:#AABB00" in invoice.html


@pytest.mark.parametrize(
    ("color", "ink"),
    [
        ("#000000", "#ffffff"),
        ("#0b5fff", "#ffffff"),
        ("#1f5d57", "#ffffff"),
        ("#ffdd00", style.INK),
        ("#ffffff", style.INK),
    ],
)
def test_text_on_the_button_can_be_read(color: str, ink: str) -> None:
    assert style.ink_on(color) == ink


@pytest.mark.parametrize(
    ("code", "language", "words"),
    [
        ("insufficient_funds", "en", "not enough money in the account"),
        ("insufficient_funds", "de", "Konto nicht gedeckt"),
        ("something_new", "de", "something new"),
    ],
)
def test_a_providers_reasons_are_said_in_words(code: str, language: str, words: str) -> None:
    data = sample("collection-failed", HOUSE)
    data["payment"]["failure_code"] = code
    assert words in render(built_in("collection-failed", language), data, HOUSE, language).text


def test_long_lines_of_a_bill_are_wrapped_in_plain_text_with_amounts_below_each_other() -> None:
    data = sample("invoice", HOUSE)
    data["invoice"]["lines"].append({"description": "A desk by the window " * 5, "total": Money(123456789, "EUR")})
    text = render(built_in("invoice", "en"), data, HOUSE, "en").text
    amounts = [line for line in text.splitlines() if "€" in line and not line.startswith("Including")]
    assert {len(line) for line in amounts} == {58}
    assert max(map(len, text.split("Flex desk")[1].split("View")[0].splitlines())) <= 58


def test_an_own_plain_text_keeps_its_lines_and_links() -> None:
    wording = Wording("s", "<p>x</p>", "Dear {{ recipient.name }},\n  we got {{ payment.amount | money }}.\n\nBye")
    data = sample("receipt", HOUSE) | {"recipient": {"name": "A <b> & C"}}
    text = render(wording, data, HOUSE, "en").text
    assert text.startswith("Dear A <b> & C,\n  we got €345.00.\n\nBye\n")


def test_plain_text_of_html() -> None:
    html = '<h1>T</h1>\n<p>a  b<br>c <a href="https://x.example">d</a></p><ul><li>e</li><li>f</li></ul>'
    assert plain_text(html) == "T\n\na b\nc d (https://x.example)\n\n- e\n- f\n"


@pytest.mark.parametrize("source", ["{{ [1][0] }}" * 2000, "{% for a in x recursive %}{% endfor %}", "{{ 2 ** 9 }}"])
def test_sources_that_are_too_much_are_refused(source: str) -> None:
    with pytest.raises(InvalidError):
        check_source(source, "/html")


def test_attempts_spread_over_about_a_day_and_end() -> None:
    now = datetime(2027, 2, 15, tzinfo=UTC)
    assert next_attempt(1, now) == now + DELAYS[0]
    assert next_attempt(len(DELAYS), now) == now + DELAYS[-1]
    assert next_attempt(len(DELAYS) + 1, now) is None


def test_expiry_is_a_midnight_after_the_days() -> None:
    assert expiry(datetime(2027, 2, 15, 23, 59, tzinfo=UTC), 30) == datetime(2027, 3, 18, tzinfo=UTC)
