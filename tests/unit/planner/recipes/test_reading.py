"""Reading an address: charsets, robots.txt, pace, redirects, and every way it fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagewatch.decode import decode
from pagewatch.extract import extract
from pagewatch.fetch import Problem, Reader, place_of
from pagewatch.price import find_price, money
from pagewatch.robots import read_robots

from tests.unit.planner.recipes import shops
from tests.unit.planner.recipes.shops import site


class Time:
    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


def reader(*places: str, time: Time | None = None) -> Reader:
    time = time or Time()
    return Reader(places, 1.0, time.monotonic, time.sleep)


@pytest.mark.parametrize("said", ["euc-kr", "ks_c_5601-1987", "utf-8", "iso-8859-1", "no-such-charset", ""])
@pytest.mark.parametrize("written", ["cp949", "utf-8"])
def test_korean_is_read_whatever_the_header_says(said: str, written: str) -> None:
    body = "똠방각하 펲시콜라 새 상품 29,000원".encode(written)

    assert decode(body, f"text/html; charset={said}") == "똠방각하 펲시콜라 새 상품 29,000원"


def test_page_names_its_charset_when_the_server_does_not() -> None:
    body = '<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">한글'.encode("cp949")

    assert decode(body, "text/html").endswith("한글")


@given(
    st.binary(max_size=400), st.sampled_from(["", "text/html; charset=utf-16", "text/html; charset=euc-kr"])
)
def test_any_bytes_become_text(body: bytes, content_type: str) -> None:
    assert isinstance(decode(body, content_type), str)


ROBOTS = """
User-agent: *
Disallow: /private
Allow: /private/open   # but this

User-agent: Other
User-agent: PageWatch
Disallow: /*.php$
Disallow: /draft*/x
"""


@pytest.mark.parametrize(
    ("robot", "path", "allowed"),
    [
        ("Nobody", "/private/x", False),
        ("Nobody", "/private/open/x", True),
        ("Nobody", "/", True),
        ("PageWatch", "/private/x", True),
        ("PageWatch", "/a/list.php", False),
        ("PageWatch", "/a/list.php?page=2", True),
        ("PageWatch", "/draft1/y/x", False),
        ("Other", "/a.php", False),
    ],
)
def test_robots_group_and_longest_rule_decide(robot: str, path: str, allowed: bool) -> None:
    assert read_robots(ROBOTS, robot).allows(path) is allowed


def test_empty_disallow_allows_everything() -> None:
    assert read_robots("User-agent: *\nDisallow:\n").allows("/x")


@given(st.text(max_size=200), st.text(max_size=50))
def test_any_robots_text_gives_an_answer(text: str, path: str) -> None:
    assert read_robots(text).allows("/" + path) in (True, False)


def test_second_read_of_a_host_waits_one_second() -> None:
    time = Time()
    with site() as shop:
        shop.put("/a", "<p>a</p>")
        shop.put("/b", "<p>b</p>")
        reading = reader(time=time)
        reading.read(f"{shop.address}/a")
        reading.read(f"{shop.address}/b")

        assert time.slept == [1.0]
        assert shop.asked == ["/robots.txt", "/a", "/b"]


def test_robots_is_honoured_and_named() -> None:
    with site() as shop:
        shop.put("/robots.txt", "User-agent: *\nDisallow: /new", kind="text/plain")
        shop.put("/new", "<p>secret</p>")

        with pytest.raises(Problem) as problem:
            reader().read(f"{shop.address}/new")

        assert problem.value.status == "robots"
        assert shop.asked == ["/robots.txt"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_error_status_is_named(status: int) -> None:
    with site() as shop:
        shop.fail("/new", status)

        with pytest.raises(Problem) as problem:
            reader().read(f"{shop.address}/new")

        assert problem.value.status == f"http_{status}"


def test_host_whose_robots_fails_is_not_read() -> None:
    with site() as shop:
        shop.fail("/robots.txt", 500)
        shop.put("/new", "<p>x</p>")

        with pytest.raises(Problem) as problem:
            reader().read(f"{shop.address}/new")

        assert (problem.value.status, shop.asked) == ("http_500", ["/robots.txt"])


def test_redirect_is_followed_only_where_it_is_allowed() -> None:
    with site() as shop:
        shop.redirect("/new", "/new/list")
        shop.redirect("/old", "/elsewhere")
        shop.put("/new/list", "<p>ok</p>")
        allowed = place_of(f"{shop.address}/new")

        page = reader(allowed).read(f"{shop.address}/new")
        with pytest.raises(Problem) as problem:
            reader(allowed).read(f"{shop.address}/old")

        assert page.address == f"{shop.address}/new/list"
        assert (problem.value.status, problem.value.detail) == ("moved", f"{shop.address}/elsewhere")
        assert "/elsewhere" not in shop.asked


def test_redirect_loop_ends() -> None:
    with site() as shop:
        shop.redirect("/new", "/new")

        with pytest.raises(Problem) as problem:
            reader(place_of(shop.address)).read(f"{shop.address}/new")

        assert problem.value.status == "moved"


def test_file_that_is_no_page_and_page_that_is_too_large_are_refused() -> None:
    with site() as shop:
        shop.pages["/a.pdf"] = (200, "application/pdf", b"%PDF")
        shop.pages["/big"] = (200, "text/html", b"x" * 3_000_001)

        problems = []
        for path in ("/a.pdf", "/big"):
            with pytest.raises(Problem) as problem:
                reader().read(f"{shop.address}{path}")
            problems.append(problem.value.status)

        assert problems == ["not_html", "too_large"]


def test_closed_port_is_refused() -> None:
    with site() as shop:
        address = shop.address

    with pytest.raises(Problem) as problem:
        reader().read(f"{address}/new")

    assert problem.value.status == "refused"


def test_old_korean_shop_is_read_end_to_end() -> None:
    with site() as shop:
        shop.put("/shop", shops.layout_table_page(shops.CUPS), charset="euc-kr")
        page = reader().read(f"{shop.address}/shop")

    titles = [item.title for item in extract(page.text, page.address, shops.no_feed).items]
    assert titles == [title for title, _ in shops.CUPS]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("판매가 29,000원", "29,000원"),
        ("₩ 12,500", "₩12,500"),
        ("$12.50 each", "$12.50"),
        ("3만원", "3만원"),
        ("2만 9천원 특가", "2만9천원"),
        ("5원형 접시", ""),
        ("모델 29000", ""),
        ("USD 30", "USD30"),
    ],
)
def test_price_needs_a_currency(text: str, price: str) -> None:
    assert find_price(text) == price


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("29000", "KRW", "29,000원"),
        (12.5, "usd", "USD 12.50"),
        ("x", "KRW", ""),
        (-1, "KRW", ""),
        ("1,000", None, "1,000"),
    ],
)
def test_machine_price_is_written_for_people(amount: object, currency: object, shown: str) -> None:
    assert money(amount, currency) == shown


@pytest.mark.parametrize(
    ("code", "status"), [("undeclared_path", "blocked"), ("unreachable", "refused"), ("timeout", "timeout")]
)
def test_answer_of_the_way_out_itself_is_no_answer_of_the_shop(code: str, status: str) -> None:
    with site() as shop:
        shop.refuse("/new", code)

        with pytest.raises(Problem) as problem:
            reader().read(f"{shop.address}/new")

        assert problem.value.status == status
