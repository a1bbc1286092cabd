import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { WritingBlock } from "../../api/writing";
import { shown } from "../../test-page";
import { WritingView } from "./writing";

const block = (kind: WritingBlock["kind"], text: string, name = ""): WritingBlock => ({
  kind,
  text,
  name,
  characters: text.length,
});
const view = (...blocks: WritingBlock[]) => shown(<WritingView writing={{ turn: 1, blocks }} />);

test("a plan shows its name and steps while it is still being written", () => {
  view(block("tool", '{"name": "신제품 봇", "steps": ["세 가게 읽기", "키워드 뽑', "propose_plan"));
  expect(screen.getByRole("heading", { name: "신제품 봇" })).toBeTruthy();
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
    "세 가게 읽기",
    "키워드 뽑",
  ]);
});

test("a file shows its name, how long it is, and its last lines", () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line_${index}`).join("\\n");
  view(block("tool", `{"path": "main.py", "content": "${lines}`, "write_file"));
  const file = screen.getByRole("region", { name: "main.py 쓰는 중" });
  expect(file.textContent).toContain("40줄");
  expect(file.textContent).toContain("line_39");
  expect(file.textContent).not.toContain("line_5\n");
});

test("questions stand there as they are asked", () => {
  view(
    block(
      "tool",
      '{"questions": [{"id": "a", "text": "어디로 보낼까요?", "choices": [{"value": "s", "label": "슬랙"}, {"val',
      "ask_user",
    ),
  );
  expect(screen.getByText("어디로 보낼까요?")).toBeTruthy();
  expect(screen.getByText("슬랙")).toBeTruthy();
});

test("thinking is one line, with its newest sentence while it goes on", () => {
  view(block("thinking", "먼저 가게를 본다.\n키워드는 나중에"));
  expect(screen.getByText("생각하는 중…")).toBeTruthy();
  expect(screen.getByText("키워드는 나중에", { selector: ".thought-latest" })).toBeTruthy();
});

test("what is no JSON, and a tool nobody knows, are shown calmly", () => {
  view(block("tool", '["oops', "propose_plan"), block("tool", "", "a_new_tool"));
  expect(screen.getByText("계획을 짜고 있어요")).toBeTruthy();
  expect(screen.getByText("다음 할 일을 적고 있어요")).toBeTruthy();
});
