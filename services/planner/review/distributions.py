"""Which package brings a module, where the names differ, and what popular packages bring along."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_BROUGHT_BY: Mapping[str, str] = {
    "bs4": "beautifulsoup4",
    "PIL": "pillow",
    "yaml": "pyyaml",
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "docx": "python-docx",
    "pptx": "python-pptx",
    "slugify": "python-slugify",
    "telegram": "python-telegram-bot",
    "telebot": "pytelegrambotapi",
    "jose": "python-jose",
    "magic": "python-magic",
    "Levenshtein": "levenshtein",
    "attr": "attrs",
    "fitz": "pymupdf",
    "pymupdf": "pymupdf",
    "Crypto": "pycryptodome",
    "jwt": "pyjwt",
    "git": "gitpython",
    "github": "pygithub",
    "googleapiclient": "google-api-python-client",
    "google_auth_oauthlib": "google-auth-oauthlib",
    "googletrans": "googletrans",
    "deep_translator": "deep-translator",
    "notion_client": "notion-client",
    "youtube_transcript_api": "youtube-transcript-api",
    "FinanceDataReader": "finance-datareader",
    "serial": "pyserial",
    "usb": "pyusb",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
    "psycopg2": "psycopg2-binary",
    "Xlib": "python-xlib",
    "win32com": "pywin32",
    "paho": "paho-mqtt",
    "websocket": "websocket-client",
    "socketio": "python-socketio",
    "dns": "dnspython",
    "OpenSSL": "pyopenssl",
    "pkg_resources": "setuptools",
    "discord": "discord.py",
    "markdown": "markdown",
    "speech_recognition": "speechrecognition",
    "whisper": "openai-whisper",
    "faster_whisper": "faster-whisper",
    "ffmpeg": "ffmpeg-python",
    "pysrt": "pysrt",
    "srt": "srt",
    "webvtt": "webvtt-py",
    "yt_dlp": "yt-dlp",
    "slack_sdk": "slack-sdk",
    "slack": "slackclient",
    "feedparser": "feedparser",
    "lxml": "lxml",
    "tabula": "tabula-py",
    "fpdf": "fpdf2",
    "barcode": "python-barcode",
    "ics": "ics",
    "wordcloud": "wordcloud",
    "mpl_toolkits": "matplotlib",
    "pylab": "matplotlib",
    "requests_html": "requests-html",
    "curl_cffi": "curl-cffi",
    "sentence_transformers": "sentence-transformers",
    "google.generativeai": "google-generativeai",
    "google.genai": "google-genai",
    "google.oauth2": "google-auth",
    "google.auth": "google-auth",
    "google.cloud": "google-cloud",
    "google.protobuf": "protobuf",
}
# What a listed package installs with it: known without a lock.
_BRINGS: Mapping[str, str] = {
    "requests": "urllib3 certifi idna charset-normalizer",
    "httpx": "httpcore certifi idna anyio h11 sniffio",
    "aiohttp": "yarl multidict attrs frozenlist",
    "pandas": "numpy python-dateutil pytz tzdata six",
    "matplotlib": "numpy pillow python-dateutil packaging cycler kiwisolver pyparsing fonttools contourpy",
    "seaborn": "matplotlib pandas numpy pillow",
    "scikit-learn": "numpy scipy joblib threadpoolctl",
    "scipy": "numpy",
    "statsmodels": "numpy scipy pandas patsy",
    "wordcloud": "numpy pillow matplotlib",
    "beautifulsoup4": "soupsieve",
    "openpyxl": "et-xmlfile",
    "python-docx": "lxml",
    "python-pptx": "lxml pillow xlsxwriter",
    "moviepy": "numpy pillow imageio imageio-ffmpeg proglog decorator tqdm",
    "opencv-python": "numpy",
    "jinja2": "markupsafe",
    "yfinance": "pandas numpy requests beautifulsoup4 curl-cffi",
    "pykrx": "pandas numpy requests",
    "finance-datareader": "pandas numpy requests beautifulsoup4 lxml tqdm",
    "anthropic": "httpx pydantic anyio jiter",
    "openai": "httpx pydantic anyio tqdm",
    "pydantic": "pydantic-core annotated-types typing-extensions",
    "reportlab": "pillow",
    "fpdf2": "pillow fonttools defusedxml",
    "qrcode": "pillow",
    "pdfplumber": "pillow pdfminer-six",
    "gspread": "google-auth google-auth-oauthlib requests",
    "trafilatura": "lxml courlan htmldate justext",
    "plotly": "packaging",
    "dnspython": "",
}
_SAME_CODE: Mapping[str, Collection[str]] = {
    "psycopg2-binary": ("psycopg2",),
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "fpdf2": ("fpdf",),
    "pycryptodome": ("pycryptodomex", "pycrypto"),
    "slackclient": ("slack-sdk",),
    "websocket-client": ("websocket",),
    "levenshtein": ("python-levenshtein",),
    "discord-py": ("discord",),
}


def distribution_of(dotted: str, names: Sequence[str] = ()) -> str:
    """The package's name for a module: "bs4" gives beautifulsoup4, an unknown one its own name."""
    parts = dotted.split(".")
    if parts[0] == "google":
        candidates = [".".join(parts[:2]), *(f"google.{name}" for name in names)]
        if candidates[0] == "google.cloud" and (len(parts) > 2 or names):
            return canonicalize_name(f"google-cloud-{parts[2] if len(parts) > 2 else names[0]}")
        found = [_BROUGHT_BY[one] for one in candidates if one in _BROUGHT_BY]
        return canonicalize_name(found[0] if found else "-".join(parts[:2]))
    return canonicalize_name(_BROUGHT_BY.get(parts[0], parts[0]))


def installed(listed: Collection[str], locked: Collection[str]) -> frozenset[str]:
    """Names of what will be there: the lock's when it is known, else what is listed and what that brings."""
    names = {name for entry in (locked or listed) if (name := name_of(entry))}
    if not locked:
        waiting = list(names)
        while waiting:
            for brought in _BRINGS.get(waiting.pop(), "").split():
                if brought not in names:
                    names.add(brought)
                    waiting.append(brought)
    return frozenset(names)


def name_of(entry: str) -> str:
    """The name in "requests[socks]>=2"; "" when it is none."""
    try:
        return canonicalize_name(Requirement(entry).name)
    except (InvalidRequirement, ValueError, RecursionError):
        return ""


def is_there(distribution: str, names: frozenset[str]) -> bool:
    """Also under the usual other spellings: python-x, x-python, pyx."""
    wanted = canonicalize_name(distribution)
    others = {f"python-{wanted}", f"{wanted}-python", f"py{wanted}", f"{wanted}-py", f"{wanted}-sdk"}
    return bool(({wanted} | others | {canonicalize_name(one) for one in _SAME_CODE.get(wanted, ())}) & names)
