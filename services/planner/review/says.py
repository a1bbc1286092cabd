"""Every sentence of a review: for a person in Korean and English, and what Claude should change."""

from __future__ import annotations

from shared.agentfile.model import Language

# key -> (ko, en, what to change; "" when the English sentence says it)
_TEXTS: dict[str, tuple[str, str, str]] = {
    # hosts
    "host_new": (
        "코드가 {what}에 접속해요. 계획에는 없는 곳이에요.",
        "The code reaches {what}. The plan does not name it.",
        "Add it to manifest.hosts with a reason, or take the request out.",
    ),
    "host_write": (
        "코드가 {what}에 내용을 보내요({method}). 계획에는 읽기만 한다고 되어 있어요.",
        "The code sends something to {what} ({method}). The plan says it only reads there.",
        'Say effect = "write" in the manifest, or only read.',
    ),
    "host_method": (
        "코드가 {what}에 {method} 요청을 보내요. 계획에는 없는 방법이에요.",
        "The code sends a {method} request to {what}. The plan does not name that method.",
        "Name the method in the manifest's rule, or use one it has.",
    ),
    "host_path": (
        "코드가 {what}의 {path} 쪽을 열어요. 계획에는 같은 곳의 다른 쪽만 있어요.",
        "The code opens {path} at {what}. The plan names other pages of that site only.",
        "Add the path to the manifest, or stay under the ones it has.",
    ),
    "host_exact": (
        "코드가 {what}에서 여러 쪽을 열 수 있어요. 계획에는 정해진 한 쪽뿐이에요.",
        "The code may open several pages at {what}. The plan names one exact page.",
        "Write the address out, or ask for the path without exact.",
    ),
    "host_path_open": (
        "{what}의 어느 쪽을 여는지는 실행해 봐야 알 수 있어요. 계획 밖의 쪽이면 멈추고 여쭤봐요.",
        "Which page of {what} is opened shows only when it runs. Outside the plan it stops and asks.",
        "Build the address so that it visibly starts with a path of the manifest.",
    ),
    "host_port": (
        "코드가 {what}에 계획과 다른 통로({port}번 포트)로 접속해요.",
        "The code reaches {what} on port {port}. The plan names another port.",
        "Give port and scheme in the manifest, or use the ones it has.",
    ),
    "host_inside": (
        "코드가 {what}에 접속하려 해요. 서버 안쪽 주소라서 열리지 않아요.",
        "The code tries to reach {what}, an address inside the machine or network. It stays closed.",
        "Use a public address.",
    ),
    "host_insecure": (
        "코드가 {what}의 인증서를 확인하지 않아요. 다른 곳이 그곳인 척해도 알 수 없어요.",
        "The code does not check the certificate of {what}: anybody could pretend to be it.",
        "Take verify=False out.",
    ),
    "host_part": (
        "주소가 {what}(으)로 시작하지만 끝까지는 실행해 봐야 알 수 있어요. 계획에 없는 곳이에요.",
        "An address begins with {what} and goes on with data. The plan does not name it.",
        "Add the host to manifest.hosts, and write it out with a slash behind it.",
    ),
    "host_library": (
        "{what} 같은 곳에 접속하는 패키지를 써요. 계획에는 없는 곳이에요.",
        "A package is used that works at {what}. The plan does not name it.",
        "Name the hosts that the package needs in manifest.hosts.",
    ),
    "host_unknown": (
        "실행 중에 정해지는 주소에 접속해요. 어디인지 미리 알 수 없어요. 계획에 없는 곳이면 멈추고 여쭤봐요.",
        "It reaches addresses that show only when it runs. Where the plan has none, it stops and asks.",
        "Use literal addresses, or check the host against those of the manifest before the request.",
    ),
    # secrets
    "secret_new": (
        "코드가 {what} 비밀을 써요. 계획에는 없는 비밀이에요.",
        "The code uses the secret {what}. The plan does not name it.",
        "Add it to manifest.secrets with its host, or take it out.",
    ),
    "secret_channel": (
        "코드가 보고에만 쓰는 {what} 비밀을 꺼내려 해요. 이 비밀은 코드에 주지 않아요.",
        "The code takes the secret {what}, which belongs to a channel. Code never gets it.",
        "Use agent.deliver() instead.",
    ),
    "secret_elsewhere": (
        "코드가 {what} 비밀을 {host}에 보내요. 계획에는 다른 곳에만 쓴다고 되어 있어요.",
        "The code sends the secret {what} to {host}. The plan binds it to another host.",
        "Send it only to the host it is bound to.",
    ),
    "secret_unknown": (
        "어떤 비밀을 쓰는지 실행해 봐야 알 수 있어요.",
        "Which secret is used shows only when it runs.",
        'Name secrets literally: agent.secret("NAME").',
    ),
    "secret_environment": (
        "코드가 실행 환경의 값을 통째로 읽어요. 계획에는 없는 일이에요.",
        "The code reads the whole environment. The plan does not say so.",
        "Read the one variable that is needed by its name.",
    ),
    # files
    "file_read": (
        "코드가 자기 폴더 밖의 파일 {what} 을(를) 읽어요. 계획에는 없는 일이에요.",
        "The code reads {what}, outside its own folder. The plan does not say so.",
        "Read files of the bundle, ./state or agent.input only.",
    ),
    "file_write": (
        "코드가 outputs와 state 밖의 {what} 에 파일을 쓰거나 지워요. 거기에는 아무것도 남지 않아요.",
        "The code writes or removes {what}, outside outputs and state. Nothing is kept there.",
        "Write with agent.output(name) or under ./state.",
    ),
    "file_unknown": (
        "어떤 파일을 여는지 실행해 봐야 알 수 있어요.",
        "Which file is opened shows only when it runs.",
        "Write paths literally, or under ./outputs and ./state.",
    ),
    # what code can do
    "subprocess": (
        "코드가 다른 프로그램을 실행해요({what}). 계획에는 없는 일이에요.",
        "The code starts other programs ({what}). The plan does not say so.",
        "Use a Python package for it.",
    ),
    "dynamic_code": (
        "코드가 글로 적힌 코드를 실행해요({what}). 계획에는 없는 일이에요.",
        "The code runs text as code ({what}). The plan does not say so.",
        "Write it as ordinary code.",
    ),
    "dynamic_code_unknown": (
        "무엇을 실행할지 코드만 보고는 알 수 없는 부분이 있어요({what}).",
        "What runs here cannot be told from the code ({what}).",
        "Write it as ordinary code; keep data as JSON or CSV.",
    ),
    "changed": (
        "코드가 다른 패키지의 동작을 바꿔요({what}). 무엇을 하게 되는지 알 수 없어요.",
        "The code changes what a package does ({what}); what it then does cannot be told.",
        "Call your own function instead.",
    ),
    "mail": (
        "코드가 메일을 직접 주고받아요({what}). 계획에 없고, 여기서는 나가는 길이 없어요.",
        "The code sends or reads mail itself ({what}). The plan does not say so, and there is no way out for it here.",
        'Use agent.deliver("email", …) with an email channel.',
    ),
    "socket": (
        "코드가 웹이 아닌 통신을 해요({what}). 계획에 없고, 여기서는 나가는 길이 없어요.",
        "The code uses a connection that is not the web's ({what}). The plan does not say so; it has no way out here.",
        "Use an HTTPS interface of the same service.",
    ),
    "state": (
        "코드가 실행 사이에 기억을 남겨요. 계획에는 기억하지 않는다고 되어 있어요.",
        "The code keeps a memory between runs. The plan says it does not.",
        "Set manifest.state = true, or do without agent.state.",
    ),
    "channel_new": (
        "코드가 {what}(으)로 보고해요. 계획에는 없는 곳이에요.",
        "The code reports to {what}. The plan does not name that channel.",
        "Add the channel to manifest.channels, or deliver to one it has.",
    ),
    "channel_unknown": (
        "어디로 보고하는지 실행해 봐야 알 수 있어요. 계획에 있는 곳으로만 보내 드려요.",
        "Where it reports shows only when it runs. Only the plan's channels are served.",
        "Name the channel literally.",
    ),
    "model": (
        "코드가 AI를 불러요({what}). 계획에는 토큰을 쓰지 않는다고 되어 있어요.",
        "The code calls a model ({what}). The plan says a run uses no tokens.",
        "Set manifest.tokens.per_run and per_day, or do without the model.",
    ),
    "package_missing": (
        "코드가 {what} 패키지를 쓰는데, 설치할 목록에 없어요.",
        "The code imports {what}, which is not in the list of packages.",
        "Add it to agent.packages, or do without it.",
    ),
    "package_browser": (
        "코드가 {what}(으)로 브라우저를 띄우려 해요. 여기서는 브라우저가 열리지 않아요.",
        "The code opens a browser with {what}. Browsers do not work here.",
        "Read the page with requests and beautifulsoup4, or use the site's feed or data address.",
    ),
    "package_power": (
        "{what} 패키지는 웹 밖으로 접속하거나 컴퓨터를 조작하려고 쓰는 것이에요. 여기서는 동작하지 않아요.",
        "The package {what} is made for reaching beyond the web or for driving a computer. It does not work here.",
        "Leave it out of agent.packages.",
    ),
    # refusals
    "refuse_syntax": (
        "{file} {line}번째 줄에서 코드를 읽을 수 없어서 실행하지 않아요.",
        "{file} cannot be read as Python at line {line}, so it is not run.",
        "Correct the syntax: {detail}",
    ),
    "refuse_intricate": (
        "코드가 너무 크거나 복잡해서 무엇을 하는지 살펴볼 수 없어요. 그래서 실행하지 않아요.",
        "The code is too large or too intricate to be looked through, so it is not run.",
        "Write less, with less nesting.",
    ),
    "refuse_native": (
        "코드가 파이썬 밖의 메모리를 직접 다뤄요({what}). 무엇을 하는지 살펴볼 수 없어서 실행하지 않아요.",
        "The code works on memory outside Python ({what}). That cannot be looked through, so it is not run.",
        "Use a package that does this.",
    ),
    "refuse_decoded": (
        "코드가 숨겨 둔 글이나 내려받은 글을 풀어서 실행해요({what}). 그런 코드는 실행하지 않아요.",
        "The code runs text that was encoded or fetched ({what}). Such code is not run.",
        "Write it as ordinary code.",
    ),
    "refuse_platform": (
        "코드가 서버의 비밀이 있는 곳({what})을 열려고 해요. 그런 코드는 실행하지 않아요.",
        "The code opens {what}, where a server keeps its secrets. Such code is not run.",
        "Take it out.",
    ),
    "refuse_miner": (
        "{what} 패키지는 암호화폐를 캐는 것이에요. 그런 코드는 실행하지 않아요.",
        "The package {what} mines cryptocurrency. Such code is not run.",
        "Take it out.",
    ),
    "refuse_insecure": (
        "코드가 비밀을 받는 {what}의 인증서를 확인하지 않아요. 비밀이 샐 수 있어서 실행하지 않아요.",
        "The code gives a secret to {what} and does not check its certificate. It could leak, so it is not run.",
        "Take verify=False out.",
    ),
}
_SOMEWHERE = {"ko": "정해지지 않은 곳", "en": "a place that cannot be told"}
_PLACE = {"ko": " ({file} {line}번째 줄)", "en": " ({file}, line {line})"}


def says(language: Language, key: str, file: str, line: int, **values: object) -> str:
    """The sentence with its place; `line` 0 or a sentence that names its own place: without."""
    text = _filled(language, key, file, line, values)
    if not line or key == "refuse_syntax":
        return text
    return text + _PLACE[language].format(file=file, line=line)


def tells_model(key: str, file: str, line: int, **values: object) -> str:
    """One line: where, what, and what to change."""
    shown = {name: value or _SOMEWHERE["en"] for name, value in values.items()}
    change = _TEXTS[key][2].format(file=file, line=line, **shown)
    return f"{file}:{line}: {_filled('en', key, file, line, values)} {change}".rstrip()


def _filled(language: Language, key: str, file: str, line: int, values: dict[str, object]) -> str:
    shown = {name: value or _SOMEWHERE[language] for name, value in values.items()}
    return _TEXTS[key][0 if language == "ko" else 1].format(file=file, line=line, **shown)
