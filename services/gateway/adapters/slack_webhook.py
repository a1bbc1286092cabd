"""Incoming webhooks, through the platform's one outbound client and its address rules."""

from __future__ import annotations

from typing import Literal

from services.gateway.model.slack import judge, message
from services.gateway.model.words import say
from shared.errors import BadRequest, Unavailable
from shared.net.client import OutboundClient

_TIMEOUT_S = 15


class SlackWebhook:
    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    def send(self, url: str, text: str, language: str) -> tuple[Literal["sent", "failed", "unknown"], str]:
        try:
            answer = self._client.post_json(url, message(text, language), _TIMEOUT_S)
        except BadRequest as error:
            # The client's sentence may name the address, which is the secret: ours does not.
            return "failed", say("send_not_allowed", language) if error.code == "address_refused" else say(
                "send_refused", language, why=error.code
            )
        except Unavailable as error:
            if error.code == "no_answer":
                return "unknown", say("send_cut", language)
            raise Unavailable(say("send_unreachable", language), code=error.code) from error
        verdict = judge(answer.status, answer.body)
        if verdict.status == "retry":
            raise Unavailable(say("send_refused", language, why=verdict.detail), code="not_accepted")
        if verdict.status == "failed":
            return "failed", say("send_refused", language, why=verdict.detail)
        return "sent", verdict.detail
