"""New, changed and gone since the last good reading."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pagewatch.compare import compare, is_rebuilt, recall, remember
from pagewatch.item import Item

KNIT = Item("울 니트", "https://s.example/1", "39,000원", code="K1")
SHIRT = Item("린넨 셔츠", "https://s.example/2", "29,000원")
CUP = Item("머그컵", "", "18,000원")

texts = st.text(max_size=8)
items = st.lists(
    st.builds(Item, title=st.text(min_size=1, max_size=8), link=texts, price=texts, code=texts), max_size=12
)


def test_first_reading_is_a_baseline_and_nothing_counts_as_new() -> None:
    result = compare(None, [KNIT, SHIRT])

    assert result.first
    assert (result.new, result.changed, result.gone) == ((), (), ())


def test_same_list_has_no_news() -> None:
    result = compare([KNIT, SHIRT, CUP], [CUP, KNIT, SHIRT])

    assert (result.new, result.changed, result.gone, result.same) == ((), (), (), 3)


def test_new_changed_and_gone_are_told_apart() -> None:
    cheaper = Item(SHIRT.title, SHIRT.link, "25,000원")

    result = compare([KNIT, SHIRT], [cheaper, CUP])

    assert result.new == (CUP,)
    assert [(change.before, change.after) for change in result.changed] == [(SHIRT, cheaper)]
    assert result.gone == (KNIT,)


def test_renamed_product_with_the_same_number_is_changed_not_new() -> None:
    renamed = Item("울 니트 2026", KNIT.link, KNIT.price, code="K1")

    result = compare([KNIT], [renamed])

    assert (result.new, len(result.changed)) == ((), 1)


def test_moved_link_with_the_same_title_is_the_same_product() -> None:
    moved = Item(SHIRT.title, "https://s.example/goods/2", SHIRT.price)

    assert compare([SHIRT], [moved]).same == 1


def test_same_price_written_otherwise_is_no_change() -> None:
    assert compare([SHIRT], [Item(SHIRT.title, SHIRT.link, "29000원")]).changed == ()


def test_sold_out_is_a_change() -> None:
    assert len(compare([SHIRT], [Item(SHIRT.title, SHIRT.link, SHIRT.price, "품절")]).changed) == 1


def test_page_found_in_another_way_with_nothing_shared_is_rebuilt() -> None:
    before = [KNIT, SHIRT, CUP]
    others = [Item(f"공지 {number}", f"https://s.example/n/{number}") for number in range(4)]

    assert is_rebuilt(before, "json-ld", others, "blocks")
    assert is_rebuilt(before, "blocks", others, "blocks")  # all prices are gone
    assert not is_rebuilt(before, "json-ld", [*others, SHIRT], "blocks")
    assert not is_rebuilt(None, "", others, "blocks")


def test_whole_new_collection_found_in_the_same_way_is_news() -> None:
    spring = [Item(f"봄 {number}", f"https://s.example/s/{number}", "10,000원") for number in range(4)]

    assert not is_rebuilt([KNIT, SHIRT, CUP], "blocks", spring, "blocks")


@given(items)
def test_memory_keeps_what_was_read(kept: list[Item]) -> None:
    assert recall(remember(kept)) == kept


@given(st.one_of(st.none(), st.integers(), st.text(), st.dictionaries(texts, texts)))
def test_unusable_memory_counts_as_none(kept: object) -> None:
    assert recall(kept) is None


@given(items, items)
def test_every_entry_is_told_exactly_once(before: list[Item], now: list[Item]) -> None:
    result = compare(before, now)

    assert len(result.new) + len(result.changed) + result.same == len(now)
    assert len(result.gone) + len(result.changed) + result.same == len(before)


@given(items)
def test_a_list_compared_with_itself_has_no_change(now: list[Item]) -> None:
    assert compare(now, now).changed == ()
