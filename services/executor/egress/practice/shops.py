"""Three shops, three markups: JSON-LD (a), a feed (b), repeated blocks in EUC-KR (c). Pure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from html import escape

from services.executor.egress.practice.catalogue import Item, Shop
from services.executor.egress.practice.pages import document

ORIGIN = "https://practice.agentbuilder.test"


def shop_a_new(shop: Shop) -> str:
    """Product cards for people; the machine-readable truth is the JSON-LD block."""
    listed = {
        "@context": "https://schema.org",
        "@type": "ItemList",
        "name": f"{shop.name} 신상품",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "item": _product(shop, item)}
            for place, item in enumerate(shop.items, 1)
        ],
    }
    data = json.dumps(listed, ensure_ascii=False, indent=1).replace("<", "\\u003c")
    cards = "".join(_card(shop, item, f"₩{item.price:,}") for item in shop.items)
    head = f'<script type="application/ld+json">\n{data}\n</script>'
    return document(
        f"신상품 | {shop.name}", shop.name, shop.line, f'<ul class="grid">{cards}</ul>', shop.color, head
    )


def shop_b_page(shop: Shop) -> str:
    links = "".join(
        f'<article class="card" id="{item.id}"><div>'
        f'<h2><a href="/shop-b/items/{item.id}">{escape(item.name)}</a></h2>'
        f'<p class="price">{item.price:,}원</p><p class="soft">{item.added:%Y. %m. %d}</p></div></article>'
        for item in shop.items
    )
    head = (
        f'<link rel="alternate" type="application/rss+xml" title="{shop.name} RSS" href="/shop-b/feed.xml">'
        f'<link rel="alternate" type="application/atom+xml" title="{shop.name} Atom" href="/shop-b/atom.xml">'
    )
    body = (
        '<p class="soft">새 소식은 <a href="/shop-b/feed.xml">RSS</a>로도 받아보세요.</p>'
        f'<div class="grid">{links}</div>'
    )
    return document(shop.name, shop.name, shop.line, body, shop.color, head)


def shop_b_rss(shop: Shop) -> str:
    items = "".join(
        f"<item><title>{escape(item.name)}</title><link>{ORIGIN}/shop-b/items/{item.id}</link>"
        f'<guid isPermaLink="false">{item.id}</guid><category>{escape(item.category)}</category>'
        f"<pubDate>{format_datetime(_noon(item.added))}</pubDate><g:price>{item.price} KRW</g:price>"
        f"<description>{escape(item.name)} · {item.price:,}원</description></item>"
        for item in shop.items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>'
        f"<title>{shop.name} 새 상품</title><link>{ORIGIN}/shop-b/</link>"
        f"<description>{shop.line}</description><language>ko</language>{items}</channel></rss>\n"
    )


def shop_b_atom(shop: Shop) -> str:
    newest = max(item.added for item in shop.items)
    entries = "".join(
        f"<entry><title>{escape(item.name)}</title><id>tag:practice.agentbuilder.test,2026:{item.id}</id>"
        f'<link href="{ORIGIN}/shop-b/items/{item.id}"/><updated>{_noon(item.added).isoformat()}</updated>'
        f"<summary>{item.price:,}원</summary></entry>"
        for item in shop.items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ko">'
        f"<title>{shop.name}</title><id>{ORIGIN}/shop-b/</id><author><name>{shop.name}</name></author>"
        f"<updated>{_noon(newest).isoformat()}</updated>{entries}</feed>\n"
    )


def shop_c_page(shop: Shop, *, broken: bool) -> str:
    """`broken`: redesigned overnight, the products now come by script."""
    if broken:
        body = (
            '<div id="app" data-src="/shop-c/api"></div>'
            '<p class="soft">새 단장을 마쳤어요. 잠시만 기다려 주세요.</p>'
        )
    else:
        rows = "".join(
            f'<li class="prd-item card" data-no="{item.id}"><img src="/images/{item.id}.svg" alt="">'
            f'<div><h3 class="prd-name">{escape(item.name)}</h3>'
            f'<p class="prd-price price">{item.price:,}원</p>'
            f'<span class="prd-cate soft">{item.category}</span>'
            f'<span class="prd-date soft"> {item.added:%Y-%m-%d}</span></div></li>'
            for item in shop.items
        )
        body = f'<ul class="prd-list grid">{rows}</ul>'
    return document(shop.name, shop.name, shop.line, body, shop.color, charset="euc-kr")


def item_page(shop: Shop, item: Item) -> str:
    body = (
        f'<article class="card"><img src="/images/{item.id}.svg" alt=""><div><h2>{escape(item.name)}</h2>'
        f'<p class="price">{item.price:,}원</p>'
        f'<p class="soft">{item.category} · {item.added:%Y-%m-%d} 등록</p>'
        "</div></article>"
    )
    return document(f"{item.name} | {shop.name}", shop.name, shop.line, body, shop.color)


def picture(shop: Shop, item: Item) -> str:
    color, middle = shop.color, 'x="200" text-anchor="middle"'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" role="img">'
        f'<rect width="400" height="300" fill="{color}" opacity=".14"/>'
        f'<circle cx="200" cy="128" r="66" fill="{color}" opacity=".32"/>'
        f'<text {middle} y="142" font-size="40" fill="{color}">{item.category}</text>'
        f'<text {middle} y="252" font-size="20" fill="#444">{escape(item.name)}</text></svg>'
    )


def _product(shop: Shop, item: Item) -> dict[str, object]:
    return {
        "@type": "Product",
        "sku": item.id,
        "name": item.name,
        "category": item.category,
        "url": f"{ORIGIN}/shop-a/items/{item.id}",
        "image": f"{ORIGIN}/images/{item.id}.svg",
        "releaseDate": item.added.isoformat(),
        "brand": {"@type": "Brand", "name": shop.name},
        "offers": {
            "@type": "Offer",
            "price": item.price,
            "priceCurrency": "KRW",
            "availability": "https://schema.org/InStock",
        },
    }


def _card(shop: Shop, item: Item, price: str) -> str:
    was = f'<span class="was">₩{item.was:,}</span>' if item.was else ""
    new = ' <span class="new">NEW</span>' if item.is_new else ""
    return (
        f'<li class="card"><a href="/{shop.key}/items/{item.id}"><img src="/images/{item.id}.svg" alt=""></a>'
        f'<div><h2>{escape(item.name)}{new}</h2><p class="price">{was}{price}</p></div></li>'
    )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(3), tzinfo=UTC)
