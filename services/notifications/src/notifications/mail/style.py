"""The look of a mail: inline styles, for mail programs read no style sheets. One calm column, one colour."""

from __future__ import annotations

import re

from markupsafe import Markup

FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
INK = "#1f2a37"
MUTED = "#667085"
HAIRLINE = "#e7eaef"
DEFAULT_COLOR = "#1f5d57"
_DARK = 250  # (1.05 / 3.5 - 0.05) in thousandths
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")

TABLE = Markup(  # noqa: S704 - constants only
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="rule"'
    f' style="margin:24px 0;border-top:1px solid {HAIRLINE};">{{rows}}</table>'
)
_CELL = f"padding:11px 0;border-bottom:1px solid {HAIRLINE};font-family:{FONT};font-size:15px;line-height:22px;"
_RIGHT = "text-align:right;vertical-align:top;padding-left:16px;"
# Web addresses and the words of some languages are wider than a telephone.
_BREAKS = "overflow-wrap:anywhere;word-break:break-word;"
FACT = Markup(  # noqa: S704 - constants only
    f'<tr><td class="muted rule" style="{_CELL}color:{MUTED};vertical-align:top;">{{label}}</td>'
    f'<td class="ink rule" style="{_CELL}{_RIGHT}{_BREAKS}color:{INK};">{{value}}</td></tr>'
)
LINE = Markup(  # noqa: S704 - constants only
    f'<tr><td class="ink rule" style="{_CELL}{_BREAKS}color:{INK};">{{what}}</td>'
    f'<td class="ink rule" style="{_CELL}{_RIGHT}color:{INK};white-space:nowrap;">{{amount}}</td></tr>'
)
TOTAL = Markup(  # noqa: S704 - constants only
    f'<tr><td class="ink" style="{_CELL}border-bottom:0;color:{INK};font-weight:600;">{{what}}</td>'
    f'<td class="ink" style="{_CELL}{_RIGHT}border-bottom:0;color:{INK};font-weight:600;white-space:nowrap;">'
    "{amount}</td></tr>"
)
# A table cell carries the colour, because Outlook paints no padding on links.
BUTTON = Markup(  # noqa: S704 - constants only
    '<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:28px 0;"><tr>'
    '<td bgcolor="{color}" style="border-radius:8px;background-color:{color};">'
    '<a href="{url}" style="display:inline-block;padding:13px 26px;border-radius:8px;font-weight:600;font-size:16px;'
    f"line-height:22px;font-family:{FONT};"
    'color:{ink};text-decoration:none;">{label}</a></td></tr></table>'
)

_TEXT = f"font-family:{FONT};color:{INK};{_BREAKS}"
TAGS = {
    "h1": f"margin:0 0 20px;font-size:24px;line-height:31px;font-weight:650;letter-spacing:-0.01em;{_TEXT}",
    "h2": f"margin:28px 0 12px;font-size:18px;line-height:26px;font-weight:600;{_TEXT}",
    "p": f"margin:0 0 16px;font-size:16px;line-height:25px;{_TEXT}",
    "ul": f"margin:0 0 16px;padding-left:22px;font-size:16px;line-height:25px;{_TEXT}",
    "ol": f"margin:0 0 16px;padding-left:22px;font-size:16px;line-height:25px;{_TEXT}",
    "small": f"display:block;font-size:13px;line-height:20px;font-family:{FONT};color:{MUTED};",
}
_BARE_TAG = re.compile(rf"<({'|'.join(TAGS)})>")


def dress(html: str) -> str:
    """Give bare tags of the wording their inline style; tags that bring attributes are left alone."""

    def styled(found: re.Match[str]) -> str:
        tag = found.group(1)
        return f'<{tag} class="{"muted" if tag == "small" else "ink"}" style="{TAGS[tag]}">'

    return _BARE_TAG.sub(styled, html)


def brand_color(wish: object) -> str:
    """The organisation's colour if it is one (``#rrggbb``), else ours."""
    return wish if isinstance(wish, str) and _COLOR.fullmatch(wish) else DEFAULT_COLOR


def ink_on(color: str) -> str:
    """White on a colour that gives it a contrast of at least 3.5 (WCAG), else near-black."""
    return "#ffffff" if _luminance(color) <= _DARK else INK


def _luminance(color: str) -> int:
    """Relative luminance in thousandths; a square is near enough to the sRGB curve."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return (213 * red * red + 715 * green * green + 72 * blue * blue) // (255 * 255)
