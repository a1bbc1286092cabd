import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Run, RunEntry } from "../../api/shapes";
import { Checks, Message } from "./deliveries";
import { linesOf } from "./log";
import { stepsOf } from "./steps";
import { gist, standing } from "./words";

const head = (seq: number, attempt = 1, second = seq) => ({
  id: `run-${seq}`,
  workspace_id: "w",
  run_id: "run",
  attempt,
  seq,
  at: `2026-11-22T20:00:${String(second).padStart(2, "0")}Z`,
});
const step = (seq: number, name: string, attempt = 1): RunEntry => ({
  ...head(seq, attempt),
  kind: "step",
  data: { name },
});
const log = (seq: number, text: string): RunEntry => ({
  ...head(seq),
  kind: "log",
  data: { stream: "stdout", text },
});

test("a step lasts until the next one, the last until the run ends", () => {
  const run = { status: "succeeded", finished_at: "2026-11-22T20:00:09Z" } as Run;
  const steps = stepsOf([step(1, "읽기"), step(4, "쓰기")], run);
  expect(steps.map(({ name, from, to }) => [name, (to ?? 0) - from])).toEqual([
    ["읽기", 3000],
    ["쓰기", 5000],
  ]);
});

test("only the last attempt's steps are told", () => {
  expect(stepsOf([step(1, "처음"), step(2, "다시", 2)], undefined).map((each) => each.name)).toEqual([
    "다시",
  ]);
});

test("terminal colours and cursor moves are taken out of log lines", () => {
  const lines = linesOf([log(1, "\u001b[31m빨강\u001b[0m\n둘째\u0007\n"), log(2, "\u001b]0;제목\u0007셋째")]);
  expect(lines.map((line) => line.text)).toEqual(["빨강", "둘째", "셋째"]);
});

test("a succeeded run whose report was held back does not count as delivered", () => {
  const word = standing({ status: "succeeded", outcome: "doubtful", deliveries: [{ status: "held" }] }).word;
  expect(word).toBe("run.outcome.held");
  expect(standing({ status: "succeeded", outcome: "delivered" }).tone).toBe("good");
  expect(standing({ status: "succeeded", outcome: "pending" }).tone).not.toBe("good");
});

test("the gist of a report is its first paragraph without signs", () => {
  expect(gist("# 제목\n\n새 상품 **2개** · [머그](https://a.example)\n\n## 더\n- 하나")).toBe(
    "새 상품 2개 · 머그",
  );
});

test("the seal is only on what has arrived", () => {
  const delivery = { id: "d", channel: "inbox", text: "보고", files: [], detail: "" };
  const { unmount } = render(<Message delivery={{ ...delivery, status: "requested" }} />);
  expect(screen.queryByText("전달")).toBeNull();
  unmount();
  render(<Message delivery={{ ...delivery, status: "sent" }} />);
  expect(screen.getByText("전달")).toBeTruthy();
});

test("a check that does not hold says why, also to readers", () => {
  const checks = [{ check: "rows", says: "상품이 하나 이상", held: false, text: "0줄이에요." }];
  render(<Checks run={{ checks } as unknown as Run} />);
  expect(screen.getByRole("listitem").textContent).toBe("안 맞음: 상품이 하나 이상 0줄이에요.");
});
