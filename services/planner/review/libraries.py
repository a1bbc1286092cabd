"""What is known of libraries: how they name requests, which hosts they work at, which never open an address."""

from __future__ import annotations

from collections.abc import Mapping

HTTP_MODULES = frozenset(
    "requests httpx aiohttp urllib3 http cloudscraper curl_cffi requests_html requests_cache cachecontrol "
    "requests_futures httplib2 treq niquests primp requests_toolbelt httpcore faker_useragent tls_client".split()
)
VERBS: Mapping[str, str] = {
    "get": "GET",
    "head": "HEAD",
    "options": "OPTIONS",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
    "ws_connect": "GET",
}
METHOD_FIRST = frozenset({"request", "stream", "Request", "putrequest", "build_request"})
# Client -> (scheme of a bare host name, names of the argument that holds it). "named": only by name.
CLIENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "httpx.Client": ("named", ("base_url",)),
    "httpx.AsyncClient": ("named", ("base_url",)),
    "aiohttp.ClientSession": ("https", ("base_url",)),
    "http.client.HTTPSConnection": ("https", ("host",)),
    "http.client.HTTPConnection": ("http", ("host",)),
    "urllib3.HTTPSConnectionPool": ("https", ("host",)),
    "urllib3.HTTPConnectionPool": ("http", ("host",)),
    "ftplib.FTP": ("ftp", ("host",)),
    "ftplib.FTP_TLS": ("ftp", ("host",)),
    "smtplib.SMTP": ("smtp", ("host",)),
    "smtplib.SMTP_SSL": ("smtp", ("host",)),
    "imaplib.IMAP4": ("imap", ("host",)),
    "imaplib.IMAP4_SSL": ("imap", ("host",)),
    "poplib.POP3": ("pop3", ("host",)),
    "poplib.POP3_SSL": ("pop3", ("host",)),
}
# Function, or (module, last name) -> "url": an address; "either": an address or a file.
URL_FIRST: Mapping[str | tuple[str, str], str] = {
    "urllib.request.urlopen": "url",
    "urllib.request.Request": "url",
    "urllib.request.urlretrieve": "url",
    "urllib.request.build_opener().open": "url",
    "urllib.request.OpenerDirector().open": "url",
    "urllib.robotparser.RobotFileParser": "url",
    "urllib.robotparser.RobotFileParser().set_url": "url",
    "feedparser.parse": "url",
    "websockets.connect": "url",
    "websocket.create_connection": "url",
    "websocket.WebSocketApp": "url",
    "trafilatura.fetch_url": "url",
    "wget.download": "url",
    "newspaper.Article": "url",
    "atoma.parse_rss_file": "either",
    "imageio.imread": "either",
    "cv2.VideoCapture": "either",
    "lxml.etree.parse": "either",
    "lxml.html.parse": "either",
    "pytube.YouTube": "url",
    **{
        ("pandas", f"read_{form}"): "either"
        for form in "csv html json excel xml parquet table feather fwf orc stata sas spss".split()
    },
    **{
        ("polars", f"{way}_{form}"): "either"
        for way in ("read", "scan")
        for form in ("csv", "json", "parquet", "excel")
    },
    ("geopandas", "read_file"): "either",
    ("httplib2", "request"): "url",
    ("yt_dlp", "download"): "url",
    ("yt_dlp", "extract_info"): "url",
    ("youtube_dl", "download"): "url",
    ("youtube_dl", "extract_info"): "url",
    ("mechanize", "open"): "url",
    ("robobrowser", "open"): "url",
    ("mechanicalsoup", "open"): "url",
    ("xmlrpc", "ServerProxy"): "url",
    ("socketio", "connect"): "url",
    ("playwright", "goto"): "url",
    ("selenium", "get"): "url",
    ("pyppeteer", "goto"): "url",
}
# Libraries that never open the addresses they are given.
QUIET_MODULES = frozenset(
    """agent bs4 lxml openpyxl xlsxwriter docx pptx PIL matplotlib seaborn plotly numpy scipy sklearn jinja2 markdown
    mistune reportlab fpdf weasyprint rich click tabulate pydantic attr attrs dateutil pytz tldextract validators
    kiwipiepy konlpy nltk wordcloud networkx sympy statsmodels rapidfuzz regex html5lib selectolax parsel cssselect
    soupsieve icalendar qrcode barcode pypdf PyPDF2 pdfplumber fitz srt pysrt webvtt toml yaml dotenv tqdm loguru
    structlog tenacity backoff simplejson orjson ujson cachetools furl yarl w3lib url_normalize feedgen pandas polars
    table pyarrow jsonschema emoji unidecode slugify humanize jieba soynlp hanja pykospacing holidays pendulum arrow
    folium pydub moviepy segno""".split()
)
MODEL_CLIENTS: Mapping[str, frozenset[str]] = {
    "anthropic": frozenset({"Anthropic", "AsyncAnthropic", "Client", "AnthropicBedrock", "AnthropicVertex"}),
    "openai": frozenset({"OpenAI", "AsyncOpenAI", "AzureOpenAI", "AsyncAzureOpenAI", "create"}),
    "google": frozenset({"GenerativeModel"}),
    "litellm": frozenset({"completion", "acompletion", "embedding"}),
    "cohere": frozenset({"Client", "ClientV2", "AsyncClient"}),
    "mistralai": frozenset({"Mistral", "MistralClient"}),
    "groq": frozenset({"Groq", "AsyncGroq"}),
    "ollama": frozenset({"chat", "generate", "Client"}),
    "langchain_openai": frozenset({"ChatOpenAI", "OpenAI"}),
    "langchain_anthropic": frozenset({"ChatAnthropic"}),
    "huggingface_hub": frozenset({"InferenceClient"}),
}
# Module -> (host, whether it is the only one).
WORKS_AT: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "slack_sdk": (("slack.com", True),),
    "slack": (("slack.com", True),),
    "openai": (("api.openai.com", False),),
    "groq": (("api.groq.com", True),),
    "cohere": (("api.cohere.com", False),),
    "mistralai": (("api.mistral.ai", True),),
    "notion_client": (("api.notion.com", True),),
    "telegram": (("api.telegram.org", True),),
    "telebot": (("api.telegram.org", True),),
    "aiogram": (("api.telegram.org", True),),
    "discord": (("discord.com", True),),
    "tweepy": (("api.twitter.com", False),),
    "praw": (("oauth.reddit.com", False),),
    "gspread": (("sheets.googleapis.com", False),),
    "googleapiclient": (("www.googleapis.com", False),),
    "boto3": (("amazonaws.com", False),),
    "botocore": (("amazonaws.com", False),),
    "twilio": (("api.twilio.com", True),),
    "stripe": (("api.stripe.com", True),),
    "sendgrid": (("api.sendgrid.com", True),),
    "resend": (("api.resend.com", True),),
    "github": (("api.github.com", True),),
    "yfinance": (("query1.finance.yahoo.com", False),),
    "pykrx": (("data.krx.co.kr", False),),
    "FinanceDataReader": (("fchart.stock.naver.com", False),),
    "pytrends": (("trends.google.com", False),),
    "googletrans": (("translate.googleapis.com", False),),
    "deep_translator": (("translate.google.com", False),),
    "gtts": (("translate.google.com", False),),
    "wikipedia": (("en.wikipedia.org", False),),
    "pyowm": (("api.openweathermap.org", True),),
    "airtable": (("api.airtable.com", True),),
    "pyairtable": (("api.airtable.com", True),),
    "dropbox": (("api.dropboxapi.com", False),),
    "pushbullet": (("api.pushbullet.com", True),),
    "youtube_transcript_api": (("www.youtube.com", True),),
    "huggingface_hub": (("huggingface.co", False),),
}
