"""Dialogues in Korean. Each is a function of the world it happens in; `dialogues` in catalogue.py has them all."""

from __future__ import annotations

from tests.fakes.llm_script import Answer, Asked, Call, Reply, Say, Think
from tests.flows.dialogues.telling import (
    Allows,
    Answers,
    Dialogue,
    Edits,
    Rejects,
    Runs,
    Says,
    World,
    delivered,
    finishes,
    host,
    plan,
    rows,
    writes,
)
from tests.flows.person import Json

SENTENCE = (
    "매일 아침 9시에 경쟁사 웹사이트 3곳의 신제품 정보를 긁어와서, 주요 키워드를 분석하고, "
    "그 결과를 슬랙으로 보고해 줘"
)
SLACK = {"kind": "slack", "secret": "SLACK_WEBHOOK_URL", "why": "아침 보고"}


def three_shops(world: World) -> Dialogue:
    """The sentence of the first page, without addresses: the model asks, looks, proposes."""
    addresses = [world.shops.address(shop) for shop in "abc"]
    questions = [
        {"id": "places", "text": "어느 웹사이트 세 곳을 볼까요?", "kind": "url"},
        {
            "id": "empty_day",
            "text": "새 상품이 없는 날에도 알려 드릴까요?",
            "kind": "choice",
            "choices": [{"value": "yes", "label": "네"}, {"value": "no", "label": "아니요"}],
        },
    ]
    proposed = plan(
        "경쟁사 신제품 봇",
        "세 가게의 새 상품과 키워드를 아침마다 슬랙으로 알려요",
        ("가게 세 곳을 읽어요", "지난번과 견주어 새 상품을 찾아요", "키워드를 세어 슬랙으로 보내요"),
        hosts=[host(world.shops.port, f"/{shop}/new", "신제품 페이지를 읽어요") for shop in "abc"],
        channels=[SLACK],
        state=True,
        contract=[
            rows("outputs/sources.csv", 3, "세 곳을 모두 읽었어요"),
            {
                "check": "fields",
                "path": "outputs/sources.csv",
                "fields": ["found"],
                "min": 1,
                "says": "읽은 곳마다 상품이 있어요",
            },
            delivered("slack"),
        ],
        found=["가게마다 상품 목록이 있어요"],
    )
    return Dialogue(
        "three_shops",
        (
            Says(SENTENCE),
            Answers({"places": ", ".join(addresses), "empty_day": "yes"}),
            Allows(),
            Runs(says=("리넨 셔츠 화이트", "캠핑 랜턴 충전식", "드립백 세트", "키워드:")),
            Runs(says=("캠핑 테이블",), lacks=("리넨 셔츠",), before=lambda: _one_more(world)),
        ),
        (
            Reply(
                (
                    Think("주소가 없다."),
                    Say("몇 가지만 여쭐게요."),
                    Call("ask_user", {"questions": questions}),
                )
            ),
            Reply((Say("세 곳을 먼저 읽어 볼게요."), Call("look", {"addresses": addresses}))),
            Reply((Say("이렇게 해 볼게요."), proposed)),
            writes(world.code("three_shops"), "이제 만들게요."),
            finishes("매일 아침 9시에 슬랙으로 알려 드릴게요."),
        ),
    )


def _one_more(world: World) -> None:
    world.shops.items["b"].append(("b9", "캠핑 테이블 알루미늄", 79000))


def subtitles(world: World) -> Dialogue:
    address = f"{world.sites.address}/watch/clip"
    proposed = plan(
        "자막 정리 봇",
        "영상의 한국어 자막을 글로 바꿔 보내요",
        ("영상 페이지에서 자막을 받아요", "시간을 빼고 글만 남겨요"),
        schedule=None,
        hosts=[
            host(world.sites.port, "/watch", "영상 페이지를 읽어요"),
            host(world.sites.port, "/media", "자막을 받아요"),
        ],
        packages=[{"name": "yt-dlp", "why": "영상 페이지에서 자막을 찾아요"}],
        contract=[
            rows("outputs/clip.ko.vtt", 1, "자막이 한 줄 이상"),
            {"check": "text", "path": "outputs/subtitles.txt", "min": 20, "says": "자막 글이 있어요"},
            delivered(),
        ],
    )
    return Dialogue(
        "subtitles",
        (
            Says(f"{address} 이 영상의 자막을 받아서 글로 정리해 줘"),
            Allows(),
            Runs(
                says=("아침 일곱 시", "겨울 신상품"), lacks=("-->",), files=("clip.ko.vtt", "subtitles.txt")
            ),
        ),
        (
            Reply((Call("search_packages", {"names": ["yt-dlp"]}),)),
            Reply((proposed,)),
            writes(world.code("subtitles")),
            finishes("자막을 글로 정리했어요."),
        ),
    )


def yesterday(world: World) -> Dialogue:
    address = f"{world.sites.address}/sales/latest.csv"
    world.sites.day = "2026-11-24"
    proposed = plan(
        "매출 이어보기",
        "하루 매출을 더하고 어제와 견주어요",
        ("오늘 매출을 읽어요", "기억해 둔 어제와 견주어요"),
        hosts=[host(world.sites.port, "/sales", "매출 파일을 읽어요")],
        state=True,
        contract=[rows("outputs/sales.csv", 1, "하루 이상의 매출이 있어요"), delivered()],
        found=["하루에 세 줄이 있어요"],
    )
    return Dialogue(
        "yesterday",
        (
            Says(f"어제 하던 매출 분석을 매일 이어서 해 줘. 파일은 {address} 에 올라와"),
            Allows(),
            Runs(says=("2026-11-24 매출 230,000원", "지난 기록은 아직 없어요")),
            Runs(
                says=("2026-11-25 매출 288,000원", "지난번보다 +58,000원"),
                before=lambda: setattr(world.sites, "day", "2026-11-25"),
            ),
        ),
        (
            Reply((Say("파일을 한번 볼게요."), Call("look", {"addresses": [address]}))),
            Reply((proposed,)),
            writes(world.code("sales_day")),
            finishes("매일 어제와 견주어 알려 드릴게요."),
        ),
    )


def summed_reviews(world: World) -> Dialogue:
    """Its runs ask a model themselves: one answer for the rehearsal, one for the live run."""
    proposed = plan(
        "후기 요약 봇",
        "나쁜 후기를 한 줄로 요약해요",
        ("후기를 읽어요", "언어 모델이 불만을 요약해요"),
        hosts=[host(world.sites.port, "/reviews", "후기를 읽어요")],
        tokens={"per_run": 4000, "per_day": 12000},
        contract=[rows("outputs/reviews.csv", 3, "후기가 셋 이상"), delivered()],
    )

    def says_it(asked: Asked) -> Reply:
        assert "컵이 깨져서 왔어요" in "".join(asked.said), asked.said
        return Reply((Say("배송 중 파손과 불편한 손잡이가 문제예요."),))

    return Dialogue(
        "summed_reviews",
        (
            Says(f"{world.sites.address}/reviews 후기를 매일 읽고 불만을 한 문장으로 요약해 줘"),
            Allows(),
            Runs(says=("후기 5개", "배송 중 파손")),
        ),
        (
            Reply((proposed,)),
            writes(world.code("summed_reviews")),
            Answer(says_it),
            finishes("매일 요약해 드릴게요."),
            Answer(says_it),
        ),
    )


def mended(world: World) -> Dialogue:
    """The first code dies; the model reads the traceback and mends it."""
    good = world.code("low_stock")
    broken = good.replace('answer["items"]', 'answer["products"]')
    proposed = plan(
        "재고 알림 봇",
        "곧 떨어질 상품을 알려요",
        ("모든 쪽을 읽어요", "세 개 이하를 골라요"),
        hosts=[host(world.sites.port, "/api/products", "재고를 읽어요")],
        contract=[rows("outputs/stock.csv", 20, "상품이 스무 개 이상"), delivered()],
    )

    def mend(asked: Asked) -> Reply:
        assert "KeyError: 'products'" in asked.told, asked.told
        return writes(good, "목록의 이름이 달랐어요. 고칠게요.")

    return Dialogue(
        "mended",
        (
            Says(f"매일 9시에 {world.sites.address}/api/products 재고를 보고 세 개 이하인 것을 알려 줘"),
            Allows(),
            Runs(says=("상품 23개 중", "머그컵 흰색: 0개"), lacks=("접시 1호",)),
        ),
        (Reply((proposed,)), writes(broken), Answer(mend), finishes("부족한 상품을 알려 드릴게요.")),
    )


def changed(world: World) -> Dialogue:
    """A finished agent is changed by talking; its second version does what was asked and nothing less."""
    hosts = [host(world.shops.port, "/b/new", "상품을 읽어요")]
    steps = ("상품을 읽어요", "표로 보내요")
    names = [rows("outputs/goods.csv", 1, "상품이 하나 이상"), delivered()]
    priced = {
        "check": "fields",
        "path": "outputs/goods.csv",
        "fields": ["price"],
        "min": 1,
        "says": "모든 상품에 가격이 있어요",
    }
    first = plan("상품 표 봇", "상품 이름을 표로 보내요", steps, hosts=hosts, contract=names)
    second = plan(
        "상품 표 봇",
        "상품 이름과 가격을 표로 보내요",
        steps,
        hosts=hosts,
        schedule={"cron": "0 9 * * 0,1,2,4,5,6", "timezone": "Asia/Seoul"},
        contract=[*names, priced],
    )

    def holds(conversation: Json, agent: Json) -> None:
        assert agent["version_number"] == 2
        assert agent["agent_file"]["schedule"]["cron"] == "0 9 * * 0,1,2,4,5,6"

    return Dialogue(
        "changed",
        (
            Says(f"매일 9시에 {world.shops.address('b')} 상품을 표로 보내 줘"),
            Allows(),
            Runs(says=("캠핑 의자 접이식",), lacks=("45,000원",), files=("goods.csv",)),
            Says("수요일은 빼고, 표에 가격도 넣어 줘"),
            Allows(),
            Runs(says=("캠핑 의자 접이식 45,000원",), files=("goods.csv",)),
        ),
        (
            Reply((first,)),
            writes(world.code("goods")),
            finishes("표를 보내 드릴게요."),
            Reply((Say("수요일을 빼고 가격을 넣을게요."), second)),
            Reply((Call("read_file", {"path": "main.py"}),)),
            writes(world.code("goods_priced")),
            finishes("수요일은 쉬고, 가격도 보내요."),
        ),
        holds=holds,
    )


def reviewed(world: World) -> Dialogue:
    """The code reads a page the plan does not name: it is not run, and the person is asked for the wider plan."""
    told = ("소식을 읽어요", "받은 보고서로 보내요")
    feed = host(world.sites.port, "/feed.xml", "소식을 읽어요")
    rates = host(world.sites.port, "/rates", "환율을 읽어요")
    contract = [rows("outputs/news.csv", 1, "소식이 하나 이상"), delivered()]
    code = Call("write_file", {"path": "main.py", "content": world.code("feed_and_rates")}, id="toolu_w")

    def widen(asked: Asked) -> Reply:
        assert "/rates" in asked.told, asked.told
        wider = plan("소식과 환율", "소식과 환율을 알려요", told, hosts=[feed, rates], contract=contract)
        return Reply((Say("환율 페이지도 필요해요. 다시 여쭐게요."), wider))

    return Dialogue(
        "reviewed",
        (
            Says(f"매일 {world.sites.address}/feed.xml 소식을 알려 주고 밑에 달러 환율도 적어 줘"),
            Allows("proposed"),
            Allows(),
            Runs(says=("새벽 배송 지역 확대", "1달러 1,382.50원")),
        ),
        (
            Reply((plan("소식과 환율", "소식과 환율을 알려요", told, hosts=[feed], contract=contract),)),
            Reply((code, Call("run_test", {}, id="toolu_t"))),
            Answer(widen),
            Reply((Call("run_test", {}),)),
            finishes("매일 알려 드릴게요."),
        ),
    )


def invented(world: World) -> Dialogue:
    """A package nobody published is never shown to the person; the model plans again without it."""
    hosts = [host(world.sites.port, "/notices", "공지를 읽어요")]
    contract = [rows("outputs/notices.csv", 1, "공지를 읽었어요"), delivered()]
    steps = ("공지를 읽어요", "새 공지만 보내요")
    made_up = [{"name": "hangul-notice-reader-plus", "why": "공지를 읽어요"}]

    def again(asked: Asked) -> Reply:
        assert "hangul-notice-reader-plus" in asked.told, asked.told
        return Reply(
            (plan("새 공지 봇", "새 공지를 알려요", steps, hosts=hosts, contract=contract, state=True),)
        )

    def holds(conversation: Json, agent: Json) -> None:
        assert agent["agent_file"]["agent"]["packages"] == []
        shown = [m for m in conversation["messages"] if m["kind"] == "plan"]
        assert len(shown) == 1

    return Dialogue(
        "invented",
        (
            Says(f"{world.sites.address}/notices 에 새 공지가 올라오면 아침마다 알려 줘"),
            Allows(),
            Runs(says=("새 공지:", "겨울 배송 일정")),
            Runs(says=("새 공지가 없어요",)),
        ),
        (
            Reply(
                (
                    plan(
                        "새 공지 봇",
                        "새 공지를 알려요",
                        steps,
                        hosts=hosts,
                        contract=contract,
                        state=True,
                        packages=made_up,
                    ),
                )
            ),
            Answer(again),
            writes(world.code("notices")),
            finishes("새 공지만 알려 드릴게요."),
        ),
        holds=holds,
    )


def charted(world: World) -> Dialogue:
    proposed = plan(
        "환율 그림 봇",
        "환율을 엑셀과 그림으로 보내요",
        ("환율을 읽어요", "엑셀과 막대그림을 만들어요"),
        hosts=[host(world.sites.port, "/rates", "환율을 읽어요")],
        packages=[
            {"name": "openpyxl", "why": "엑셀 파일을 만들어요"},
            {"name": "matplotlib", "why": "그림을 그려요"},
        ],
        contract=[
            rows("outputs/rates.xlsx", 3, "통화가 셋 이상"),
            {
                "check": "file",
                "path": "outputs/rates.png",
                "contains": ["png"],
                "min": 2000,
                "says": "그림이 있어요",
            },
            delivered(),
        ],
    )
    return Dialogue(
        "charted",
        (
            Says(f"매일 10시에 {world.sites.address}/rates 환율을 엑셀과 그래프로 보내 줘"),
            Allows(),
            Runs(says=("USD 1,382.50원", "JPY 9.21원"), files=("rates.xlsx", "rates.png")),
        ),
        (
            Reply((proposed,)),
            writes(world.code("charted")),
            finishes("엑셀과 그림을 보내 드릴게요."),
        ),
    )


def edited(world: World) -> Dialogue:
    """A person who says no and why, then changes the promise and the hour themselves, and only then yes."""
    steps = ("달력을 읽어요", "다가오는 행사를 보내요")
    hosts = [host(world.sites.port, "/events.ics", "달력을 읽어요")]
    contract = [rows("outputs/events.csv", 1, "행사가 하나 이상"), delivered()]
    stricter = [{**contract[0], "min": 2, "says": "행사가 둘 이상"}, contract[1]]
    friday = {"cron": "30 8 * * 5", "timezone": "Asia/Seoul"}

    def on_friday(asked: Asked) -> Reply:
        assert any("금요일에만" in text for text in asked.said), asked.said
        return Reply(
            (
                plan(
                    "행사 봇",
                    "다가오는 행사를 알려요",
                    steps,
                    hosts=hosts,
                    contract=contract,
                    schedule={"cron": "0 9 * * 5", "timezone": "Asia/Seoul"},
                ),
            )
        )

    def holds(conversation: Json, agent: Json) -> None:
        file = agent["agent_file"]
        assert file["schedule"]["cron"] == "30 8 * * 5"
        assert [check["says"] for check in file["contract"]] == ["행사가 둘 이상", "보고서를 보냈어요"]

    return Dialogue(
        "edited",
        (
            Says(f"{world.sites.address}/events.ics 행사 일정을 알려 줘"),
            Rejects("매일은 너무 잦아요. 금요일에만 알려 주세요."),
            Edits({"schedule": friday}, lambda p: p["agent_file"]["schedule"]["cron"] == "30 8 * * 5"),
            Edits({"contract": stricter}, lambda p: p["agent_file"]["contract"][0]["min"] == 2),
            Allows(),
            Runs(says=("다가오는 행사 3개", "2026-12-01 서울 리빙 페어")),
        ),
        (
            Reply((plan("행사 봇", "다가오는 행사를 알려요", steps, hosts=hosts, contract=contract),)),
            Answer(on_friday),
            writes(world.code("events")),
            finishes("금요일마다 알려 드릴게요."),
        ),
        holds=holds,
    )
