"""What agents' code does with the libraries people use, one call each; every line it prints is checked.

`BASE` is an https address whose host may be read and written, `KEY` the placeholder of a secret bound to it.
"""

from __future__ import annotations

# Folder -> what is installed there. A call names the folders it needs.
PACKAGES = {
    "clients": ("requests", "httpx", "aiohttp", "anthropic", "pandas"),
    "yt-dlp": ("yt-dlp",),
}

_YT_DLP = """
import yt_dlp
options = {"outtmpl": "clip.%(ext)s", "quiet": True, "noprogress": True, "cachedir": False}
with yt_dlp.YoutubeDL(options) as downloader:
    found = downloader.extract_info(BASE + "/clip.mp4")
print(found["extractor"], os.path.getsize("clip.mp4"))
"""

CALLS: dict[str, tuple[str, str]] = {
    "urllib": (
        "",
        """
import urllib.request
request = urllib.request.Request(BASE + "/echo", headers={"Authorization": "Bearer " + KEY}, data=b"x")
print(json.loads(urllib.request.urlopen(request).read())["headers"]["authorization"] == "Bearer " + KEY)
""",
    ),
    "requests": (
        "clients",
        """
import requests
with requests.Session() as session:
    for _ in range(2):
        said = session.post(BASE + "/echo", auth=("shop", KEY), json={"a": 1}, timeout=20).json()
print(said["headers"]["authorization"].startswith("Basic "), json.loads(said["body"]) == {"a": 1})
""",
    ),
    "httpx": (
        "clients",
        """
import httpx
with httpx.Client() as client:
    print(client.get(BASE + "/echo", headers={"X-Key": KEY}).json()["headers"]["x-key"] == KEY)
    with client.stream("GET", BASE + "/big") as answer:
        print(sum(map(len, answer.iter_bytes())))
""",
    ),
    "aiohttp": (
        "clients",
        """
import asyncio, aiohttp
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async def one(n):
            async with session.put(BASE + "/echo", data=b"n%d" % n, headers={"X-Key": KEY}) as answer:
                said = json.loads(await answer.text())
                return said["body"] == "n%d" % n and said["headers"]["x-key"] == KEY
        print(await asyncio.gather(*map(one, range(5))))
asyncio.run(main())
""",
    ),
    "pandas": (
        "clients",
        """
import pandas
print(pandas.read_csv(BASE + "/prices.csv").groupby("shop")["price"].sum().to_dict())
""",
    ),
    "anthropic": (
        "clients",
        """
import anthropic
client = anthropic.Anthropic(base_url=BASE, api_key=KEY, max_retries=0)
asked = {"model": "any", "max_tokens": 50, "messages": [{"role": "user", "content": "안녕"}]}
with client.messages.stream(**asked) as stream:
    print("".join(stream.text_stream))
""",
    ),
    "yt-dlp alone": ("yt-dlp", _YT_DLP),
    "yt-dlp beside libraries that bring their own list of authorities": ("yt-dlp clients", _YT_DLP),
}
PRINTED = {
    "urllib": "True",
    "requests": "True True",
    "httpx": "True\n300000",
    "aiohttp": "[True, True, True, True, True]",
    "pandas": "{'a': 52000, 'b': 33000}",
    "anthropic": "머그컵 세 개가 새로 나왔어요.",
    "yt-dlp alone": "generic 4096",
    "yt-dlp beside libraries that bring their own list of authorities": "generic 4096",
}


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


_PIECES = ("머그컵 ", "세 개가 ", "새로 나왔어요.")
PAGES: dict[str, tuple[str, bytes]] = {
    "/prices.csv": ("text/csv", b"shop,item,price\na,mug,39000\na,cup,13000\nb,lamp,33000\n"),
    "/clip.mp4": ("video/mp4", b"\0\0\0\x18ftypmp42" + bytes(4084)),
    "/v1/messages": (
        "text/event-stream",
        _event(
            "message_start",
            '{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"any",'
            '"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}',
        )
        + _event(
            "content_block_start",
            '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
        )
        + b"".join(
            _event(
                "content_block_delta",
                f'{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{piece}"}}}}',
            )
            for piece in _PIECES
        )
        + _event("content_block_stop", '{"type":"content_block_stop","index":0}')
        + _event(
            "message_delta",
            '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
            '"usage":{"output_tokens":9}}',
        )
        + _event("message_stop", '{"type":"message_stop"}'),
    ),
}
