"""Every sentence of questions, plans and refusals, in Korean and English."""

from __future__ import annotations

_TEXTS: dict[str, tuple[str, str]] = {
    # plan
    "practice_name": ("연습용 가게", "Practice shops"),
    "and_more": (" 외 {count}곳", " and {count} more"),
    "title_item": ("새 상품 알림: {place}", "New products: {place}"),
    "title_entry": ("새 글 알림: {place}", "New posts: {place}"),
    "noun_item": ("상품", "products"),
    "noun_entry": ("글", "posts"),
    "when_by_hand": ("직접 실행할 때", "When you run it"),
    "pages": ("{count}곳", "{count} pages"),
    "pages_one": ("1곳", "1 page"),
    "summary": (
        "{when}: {pages}에서 새로 나오거나 바뀌거나 사라진 {noun} 찾기{keywords} → {channels}",
        "{when}: finds new, changed and gone {noun} on {pages}{keywords} → {channels}",
    ),
    "summary_keywords": (", 주요 키워드 분석", ", counts keywords"),
    "and": ("·", " and "),
    "channel_inbox": ("앱의 받은 보고서", "the app's inbox"),
    "channel_slack": ("슬랙", "Slack"),
    "step_read": ("{name} 페이지를 읽고 목록을 찾아요", "Reads {name} and finds the list"),
    "step_compare": (
        "지난번과 비교해 새 {noun}, 바뀐 {noun}, 사라진 {noun}만 골라요 (처음에는 모두 기준으로 저장해요)",
        (
            "Compares with last time and picks new, changed and gone {noun} (the first run saves all "
            "as the baseline)"
        ),
    ),
    "step_keywords": (
        "이름에 나온 낱말을 세어 주요 키워드와 차트를 만들어요",
        "Counts the words of the titles and draws a chart",
    ),
    "step_report": ("보고서와 엑셀 파일을 만들어요", "Writes the report and a workbook"),
    "step_send_inbox": (
        "앱의 받은 보고서로 보내요. 새로운 것이 없으면 없다고 알려요",
        "Delivers to the app's inbox; on a day without news it says so",
    ),
    "step_send_slack": (
        "슬랙으로 보내요. 새로운 것이 없으면 없다고 알려요",
        "Delivers to Slack; on a day without news it says so",
    ),
    "package_requests": ("웹 페이지를 읽어요", "reads web pages"),
    "package_beautifulsoup4": ("페이지에서 목록을 찾아요", "finds the list on a page"),
    "package_openpyxl": ("엑셀 파일을 만들어요", "writes the workbook"),
    "package_pillow": ("키워드 차트를 그려요", "draws the keyword chart"),
    "why_page": ("목록을 읽어요", "reads the list"),
    "why_feed": ("이 페이지의 새 글 목록(피드)을 읽어요", "reads the page's feed"),
    "why_robots": ("자동 읽기를 허락하는지 확인해요", "asks whether automatic reading is allowed"),
    "why_channel": ("결과를 보고해요", "reports the result"),
    "why_slack_secret": (
        "슬랙의 수신 웹훅 주소예요. 보고서를 보낼 때만 쓰고, 코드에는 보이지 않아요.",
        "The address of a Slack incoming webhook. Used only to send the report; the code never sees it.",
    ),
    "wont_act": (
        "로그인, 주문, 글쓰기는 하지 않아요. 읽기만 해요.",
        "It never logs in, orders or posts. It only reads.",
    ),
    "wont_model": (
        "AI를 부르지 않아 실행할 때 토큰이 들지 않아요.",
        "It calls no model, so a run costs no tokens.",
    ),
    "wont_email": ("이메일로는 아직 보내지 못해요.", "It cannot send e-mail yet."),
    "wont_other": ("그 메신저로는 아직 보내지 못해요.", "It cannot send to that messenger yet."),
    "wont_buy": (
        "말씀하신 주문·결제·로그인은 하지 않아요. 알려 드리기만 해요.",
        "It will not order, pay or log in as you mentioned. It only tells you.",
    ),
    "wont_unreadable": ("{name}: 읽을 수 없어서 뺐어요.", "{name} is left out because it cannot be read."),
    "check_all": ("{count}곳을 모두 살펴봤어요", "Every page was visited"),
    "check_ok": ("모든 곳을 오류 없이 읽었어요", "Every page was read without a problem"),
    "check_read": ("모든 곳에서 목록을 하나 이상 읽었어요", "Every page gave at least one entry"),
    "check_items": ("확인한 목록이 비어 있지 않아요", "The list is not empty"),
    "check_report": ("보고서가 있어요", "There is a report"),
    "check_workbook": ("엑셀 파일이 있어요", "There is a workbook"),
    "check_delivered": ("보고서가 전달됐어요", "The report was delivered"),
    # questions
    "ask_addresses": (
        "어느 페이지를 볼까요? 목록이 있는 주소를 적어 주세요.",
        "Which pages should it watch? Write the addresses of the lists.",
    ),
    "ask_addresses_count": (
        "볼 {count}곳의 주소를 적어 주세요.",
        "Write the addresses of the {count} pages.",
    ),
    "ask_addresses_rest": (
        "{count}곳이라고 하셨는데 주소가 {have}개예요. 나머지 주소도 적어 주시겠어요?",
        "You spoke of {count} pages and gave {have}. What are the other addresses?",
    ),
    "why_addresses": ("읽을 곳을 알아야 계획을 세울 수 있어요.", "The plan needs to know where to read."),
    "choice_practice": ("연습용 가게로 해 보기", "Try the practice shops"),
    "choice_only_these": ("적은 {have}곳만 보기", "Only these {have}"),
    "ask_schedule": ("언제 실행할까요?", "When should it run?"),
    "why_schedule": ("정한 시간에 저절로 실행돼요.", "It runs by itself at that time."),
    "choice_daily": ("매일 아침 9시", "Every day at 09:00"),
    "choice_weekdays": ("평일 아침 9시", "Every weekday at 09:00"),
    "choice_weekly": ("매주 월요일 아침 9시", "Every Monday at 09:00"),
    "choice_by_hand": ("직접 실행할 때만", "Only when I run it"),
    "ask_channel": ("어디로 알려 드릴까요?", "Where should the report go?"),
    "why_channel_question": ("받은 보고서는 따로 연결할 것이 없어요.", "The app's inbox needs no set-up."),
    "choice_inbox": ("앱의 받은 보고서", "The app's inbox"),
    "choice_slack": ("슬랙 (수신 웹훅)", "Slack (incoming webhook)"),
    "note_email": (
        "이메일로는 아직 보내지 못해요. 다른 곳을 골라 주세요.",
        "E-mail is not possible yet. Please choose another place.",
    ),
    "note_other": (
        "그 메신저로는 아직 보내지 못해요. 다른 곳을 골라 주세요.",
        "That messenger is not possible yet. Please choose another place.",
    ),
    "ask_unreadable": (
        "읽을 수 없는 곳이 있어요. 어떻게 할까요?",
        "Some pages cannot be read. What should happen?",
    ),
    "choice_readable": ("읽을 수 있는 {have}곳만 보기", "Only the {have} that can be read"),
    "note_secret": (
        "비밀번호나 키가 든 주소는 쓰지 않았어요. 그런 것이 없는 주소를 적어 주세요.",
        "An address with a password or key in it was not used. Write one without.",
    ),
    # refusals
    "refuse_empty": (
        "무엇을 해 드릴지 적어 주세요. 예를 들면 이런 일을 할 수 있어요.",
        "Say what you would like. For example, these work.",
    ),
    "refuse_elsewhere": (
        "그 일은 아직 할 수 없어요. 지금은 웹 페이지의 목록을 지켜보고 달라진 것을 알려 드릴 수 있어요.",
        "That is not possible yet. What works now: watching lists on web pages and reporting what differs.",
    ),
    "refuse_many": (
        "한 번에 {most}곳까지 볼 수 있어요. 주소를 {most}개로 줄이거나 둘로 나눠 주세요.",
        "At most {most} pages at a time. Write {most} addresses, or split the request in two.",
    ),
    "refuse_shared": (
        "{host} 은 여러 사람이 함께 쓰는 곳이라, 어느 쪽을 볼지 주소를 끝까지 적어 주세요.",
        "Many people share {host}: write the whole address of the page you mean.",
    ),
    "suggest_first": ("{addresses} 지켜보고 알려 줘", "Watch {addresses} and tell me"),
}


def says(language: str, key: str, **values: object) -> str:
    return _TEXTS[key][0 if language == "ko" else 1].format(**values)
