"""Of all that two runs read, the builder is shown where the broken one and the good one part; never more than fits."""

from __future__ import annotations

from services.gateway.model.exchanges import MOST_ADDRESSES, MOST_CHARACTERS, Heard, side_by_side

HEAD = "<html><head>" + "<meta>" * 1_000 + "</head><body>"


def page(url: str, text: str | None, status: int = 200) -> Heard:
    return Heard("GET", f"https://shop.example.com{url}", status, text)


def test_each_address_is_shown_as_it_is_and_as_it_was_from_where_they_part() -> None:
    now, then = page("/new", f"{HEAD}<b class=t>울 머플러</b>"), page("/new", f"{HEAD}<i>울 머플러</i>")

    broken, good = side_by_side([now], [then])

    assert (broken.run, broken.request, broken.status) == ("broken", "GET https://shop.example.com/new", 200)
    assert "<b class=t>울 머플러</b>" in broken.text
    assert (good.run, good.start) == ("good", broken.start)
    assert "<i>울 머플러</i>" in good.text
    assert len(broken.text) < 1_000, "what both have is left out"


def test_what_failed_comes_first_then_what_changed_and_what_did_not_change_last() -> None:
    now = [page("/same", "a"), page("/changed", "b"), page("/gone", "gone", 404), page("/silent", None, 0)]
    then = [page("/same", "a"), page("/changed", "c"), page("/gone", "d")]

    shown = [one.request.rpartition("/")[2] for one in side_by_side(now, then) if one.run == "broken"]

    assert shown == ["gone", "silent"]
    assert [one.request.rpartition("/")[2] for one in side_by_side(now[:2], then)] == ["changed"] * 2 + [
        "same"
    ] * 2


def test_it_is_bounded() -> None:
    now = [page(f"/{n}", "가" * 100_000) for n in range(100)]

    shown = side_by_side(now, [page(f"/{n}", "나" * 100_000) for n in range(100)])

    assert len(shown) == 2 * MOST_ADDRESSES
    assert all(len(one.text) <= MOST_CHARACTERS for one in shown)
    assert {one.length for one in shown} == {100_000}


def test_pictures_are_no_text_and_nothing_recorded_is_nothing_shown() -> None:
    assert side_by_side([page("/logo.png", None)], []) == ()
    assert side_by_side([], [page("/new", "a")]) == ()
