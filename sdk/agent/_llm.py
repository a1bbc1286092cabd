"""Ask a language model: on the platform its endpoint, paid by the run's tokens; elsewhere with a key of yours."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

from agent._outbox import AgentError

_PROVIDER = "https://api.anthropic.com"
_WAIT_S = 300
_TOOL = "answer"
_SAID_CHARS = 600

_WORDS = {
    "no_tokens": (
        "이 에이전트는 모델에게 물어보도록 허락받지 않았어요. agent.toml의 [manifest] tokens = { per_run, per_day }에 "
        "쓸 만큼 적으면 돼요. (This agent was not allowed to ask a model: give it tokens in agent.toml, [manifest] "
        "tokens = { per_run, per_day }.)"
    ),
    "offline": (
        "여기서 모델에게 물어보려면 ANTHROPIC_API_KEY와 AGENT_MODEL(모델 이름)을 정해 주세요. "
        "(To ask a model here, set ANTHROPIC_API_KEY and AGENT_MODEL, the model's name.)"
    ),
    "cut_off": (
        "답이 max_tokens에서 끊겼어요. 더 크게 정해 주세요. (The answer was cut off at max_tokens; allow more.)"
    ),
    "refusal": "모델이 답하지 않겠다고 했어요. (The model declined to answer.)",
    "unreadable": "모델의 답을 읽을 수 없었어요. (The model's answer could not be read.)",
    "unreachable": "모델에 연결되지 않았어요. (The model could not be reached.)",
}


def llm(
    prompt: str,
    *,
    system: str | None = None,
    max_tokens: int = 1024,
    schema: dict[str, Any] | None = None,
    model: str | None = None,
) -> str | dict[str, Any]:
    """The answer as text; with `schema`, a JSON Schema of an object, as a dictionary that follows it.

    max_tokens bounds the answer and is set aside beforehand. model: None is the one the workspace has connected;
    others must not cost more. AgentError, its `code` saying why: no tokens allowed (no_tokens), used up
    (lease_full), no key connected (no_key), cut off, refused, unreachable.
    """
    address, key, named = _where(model)
    asked: dict[str, Any] = {
        "model": named,
        "max_tokens": max_tokens,
        "messages": [{"role": "user", "content": prompt}],
    }
    if system is not None:
        asked["system"] = system
    if schema is not None:
        asked["tools"] = [{"name": _TOOL, "input_schema": schema}]
        asked["tool_choice"] = {"type": "tool", "name": _TOOL}
    return _told(_asked(address, key, asked), wants_object=schema is not None)


def _where(model: str | None) -> tuple[str, str, str]:
    """Address, key and model."""
    if address := os.environ.get("AGENT_MODEL_URL"):
        return address, "none", model or "default"
    if "AGENT_JOB" in os.environ:
        raise AgentError(_WORDS["no_tokens"], "no_tokens")
    key, named = os.environ.get("ANTHROPIC_API_KEY", ""), model or os.environ.get("AGENT_MODEL", "")
    if not key or not named:
        raise AgentError(_WORDS["offline"], "offline")
    return os.environ.get("ANTHROPIC_BASE_URL", _PROVIDER).rstrip("/"), key, named


def _asked(address: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"content-type": "application/json", "anthropic-version": "2023-06-01", "x-api-key": key}
    place = f"{address}/v1/messages"
    request = urllib.request.Request(place, json.dumps(body).encode(), headers)  # noqa: S310 - set by who runs it
    try:
        with urllib.request.urlopen(request, timeout=_WAIT_S) as response:  # noqa: S310 - as above
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except ValueError:
        raise AgentError(_WORDS["unreadable"], "unreadable") from None
    except OSError as error:
        raise AgentError(f"{_WORDS['unreachable']} {error}", "unreachable") from None
    if not isinstance(answer, dict):
        raise AgentError(_WORDS["unreadable"], "unreadable")
    return answer


def _told(answer: dict[str, Any], *, wants_object: bool) -> str | dict[str, Any]:
    stopped = answer.get("stop_reason")
    if stopped == "max_tokens":
        raise AgentError(_WORDS["cut_off"], "cut_off")
    if stopped == "refusal":
        raise AgentError(_WORDS["refusal"], "refusal")
    blocks = [block for block in answer.get("content") or [] if isinstance(block, dict)]
    if not wants_object:
        return "".join(str(block.get("text", "")) for block in blocks if block.get("type") == "text")
    for block in blocks:
        if block.get("type") == "tool_use" and isinstance(block.get("input"), dict):
            found: dict[str, Any] = block["input"]
            return found
    raise AgentError(_WORDS["unreadable"], "unreadable")


def _refused(error: urllib.error.HTTPError) -> AgentError:
    """What the other side says: the endpoint's words, or those of the way out."""
    try:
        told = json.loads(error.read())
        said = told["error"] if isinstance(told.get("error"), dict) else told
        code = str(said.get("code") or said.get("type") or error.code)
        text = str(said.get("message") or said.get("detail") or "")
    except (OSError, ValueError, AttributeError):
        code, text = str(error.code), ""
    if code in _WORDS:
        return AgentError(_WORDS[code], code)
    return AgentError(text[:_SAID_CHARS] or f"{error.code} {error.reason}", code)
