"""Prices as they are written on Korean and English pages."""

from __future__ import annotations

import re

# A currency sign or word makes a number a price; so does 원 after it. A bare number never is one.
PRICE = re.compile(
    r"(?:[₩￦$€£¥]|\b(?:KRW|USD|EUR|JPY|GBP)\b)\s?\d[\d,]*(?:\.\d{1,2})?"
    r"|\d[\d,]*\s?(?:만\s?(?:\d+\s?천\s?)?|천\s?)?원(?!형|단|래|산|목|피스)",
    re.IGNORECASE,
)


def find_price(text: str) -> str:
    """The first price in `text`, written without inner spaces; "" when there is none."""
    found = PRICE.search(text)
    return re.sub(r"\s+", "", found.group()) if found else ""


def money(amount: object, currency: object) -> str:
    """A machine-readable price (JSON-LD) as a person reads it: 29000, KRW → "29,000원"."""
    try:
        value = float(str(amount).replace(",", ""))
    except ValueError:
        return ""
    if not 0 <= value < 1e15:
        return ""
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"
    code = str(currency or "").upper()[:3]
    if code in ("KRW", ""):
        return f"{number}원" if code else number
    return f"{code} {number}"
