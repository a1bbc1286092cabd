"""The README of a watching agent, in the person's language."""

from __future__ import annotations

_KO = """# {title}

{summary}

## 하는 일

{steps}

## 보는 곳

{pages}

## 고치기

`settings.json`에서 주소, 키워드 분석, 보고할 곳을 바꿀 수 있어요.
`main.py`가 전체 순서이고, `pagewatch/` 안에 읽기·찾기·비교·보고가 나뉘어 있어요.

## 혼자 실행하기

`uv run main.py`

결과는 `outputs/`에, 기억은 `state/`에 남아요.
읽지 못한 곳은 보고서에 이름이 나오고, 그곳의 기억은 그대로예요.
"""
_EN = """# {title}

{summary}

## What it does

{steps}

## Pages

{pages}

## Changing it

Addresses, keyword counting and channels are in `settings.json`.
`main.py` is the whole story; `pagewatch/` has reading, finding, comparing and reporting.

## Running it alone

`uv run main.py`

Results are left in `outputs/`, memory in `state/`.
A page that fails is named in the report and keeps its memory.
"""


def readme(language: str, *, title: str, summary: str, steps: str, pages: str) -> str:
    """`steps` and `pages` are Markdown lists."""
    template = _KO if language == "ko" else _EN
    return template.format(title=title, summary=summary, steps=steps, pages=pages)
