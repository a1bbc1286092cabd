"""Host names under which anybody can keep things of their own: a rule for one of them must say which path.

`LISTED_ON` is when the list was last gone through. A `*` stands for one label or more.
"""

from __future__ import annotations

import re
from typing import Final

LISTED_ON: Final = "2026-11-22"

# Where each comes from: the service's own documentation of the addresses it gives to its users.
SHARED_HOSTS: Final[tuple[str, ...]] = (
    # code and texts: docs.github.com "raw", docs.gitlab.com "snippets", support.atlassian.com "snippets"
    "gist.github.com",
    "gist.githubusercontent.com",
    "raw.githubusercontent.com",
    "objects.githubusercontent.com",
    "media.githubusercontent.com",
    "codeload.github.com",
    "api.github.com",
    "github.com",
    "uploads.github.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "huggingface.co",
    "cdn.jsdelivr.net",
    "unpkg.com",
    # paste and file drops: each site's own "API" or "about" page
    "pastebin.com",
    "paste.ee",
    "paste.rs",
    "dpaste.com",
    "dpaste.org",
    "hastebin.com",
    "rentry.co",
    "ix.io",
    "0x0.st",
    "transfer.sh",
    "file.io",
    "tmpfiles.org",
    "catbox.moe",
    "litterbox.catbox.moe",
    "telegra.ph",
    # storage buckets: docs.aws.amazon.com/general/latest/gr/s3.html, cloud.google.com/storage/docs/request-
    # endpoints, learn.microsoft.com "storage account endpoints", developers.cloudflare.com/r2
    "s3.amazonaws.com",
    "*.s3.amazonaws.com",
    "s3.*.amazonaws.com",
    "*.s3.*.amazonaws.com",
    "s3-*.amazonaws.com",
    "storage.googleapis.com",
    "*.storage.googleapis.com",
    "storage.cloud.google.com",
    "firebasestorage.googleapis.com",
    "*.firebasestorage.app",
    "*.firebaseio.com",
    "*.blob.core.windows.net",
    "*.file.core.windows.net",
    "*.dfs.core.windows.net",
    "*.r2.cloudflarestorage.com",
    "*.r2.dev",
    "*.digitaloceanspaces.com",
    "*.backblazeb2.com",
    "*.wasabisys.com",
    "*.objectstorage.*.oraclecloud.com",
    "objectstorage.*.oraclecloud.com",
    "kr.object.ncloudstorage.com",
    "*.supabase.co",
    # documents and drives: each service's sharing links
    "drive.google.com",
    "docs.google.com",
    "sheets.googleapis.com",
    "www.googleapis.com",
    "dropbox.com",
    "www.dropbox.com",
    "dl.dropboxusercontent.com",
    "content.dropboxapi.com",
    "api.dropboxapi.com",
    "onedrive.live.com",
    "1drv.ms",
    "graph.microsoft.com",
    "api.notion.com",
    "api.airtable.com",
    # scripts and functions: developers.google.com/apps-script, each platform's own domain for users' code
    "script.google.com",
    "script.googleusercontent.com",
    "*.cloudfunctions.net",
    "*.workers.dev",
    "*.web.val.run",
    "hook.*.make.com",
    "hooks.zapier.com",
    "maker.ifttt.com",
    "*.pipedream.net",
    "webhook.site",
    "requestbin.com",
    "httpbin.org",
    "postman-echo.com",
    # chat: api.slack.com/messaging/webhooks, discord.com/developers, core.telegram.org/bots/api, and so on
    "hooks.slack.com",
    "slack.com",
    "files.slack.com",
    "discord.com",
    "discordapp.com",
    "cdn.discordapp.com",
    "api.telegram.org",
    "chat.googleapis.com",
    "*.webhook.office.com",
    "*.logic.azure.com",
    "notify-api.line.me",
    "api.line.me",
    "kapi.kakao.com",
    # forms: each service's address for answers
    "forms.gle",
    "formspree.io",
    "api.typeform.com",
    "*.typeform.com",
    "tally.so",
    "api.tally.so",
    "form.naver.com",
    # tunnels: a name leads to whoever opened it
    "*.ngrok.io",
    "*.ngrok.app",
    "*.ngrok-free.app",
    "*.trycloudflare.com",
    "*.loca.lt",
    "*.serveo.net",
)


def _pattern(host: str) -> str:
    return re.escape(host).replace(r"\*", r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


_SHARED = re.compile("|".join(_pattern(host) for host in SHARED_HOSTS))


def needs_path(host: str) -> bool:
    """Whether a rule for that host (any spelling of its case) is too wide without a path."""
    return _SHARED.fullmatch(host.lower().rstrip(".")) is not None


def says_too_little(host: str, path: str) -> bool:
    """Whether a rule leaves open which of the many that share a host is meant."""
    return needs_path(host) and not path.strip("/")
