import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { ConversationDetail, ProgressData } from "../../api/shapes";
import { shown } from "../../test-page";
import { BuildPanel } from "./build-panel";

function building(...steps: ProgressData[]): ConversationDetail {
  const messages = steps.map((data, index) => ({
    id: `e${index}`,
    seq: index + 1,
    kind: "progress",
    author: "builder",
    at: "2026-11-22T20:00:00Z",
    data,
  }));
  const detail = {
    id: "conv_1",
    state: "building",
    title: "",
    messages,
    version_id: null,
    agent_id: "agent_1",
  };
  return detail as unknown as ConversationDetail;
}
const panel = (detail: ConversationDetail) => (
  <BuildPanel detail={detail} run={undefined} entries={[]} brief={false} />
);

test("packages that are fetched show how far they are, as a bar and in bytes", () => {
  shown(
    panel(building({ step: "environment", text: "pandas 받는 중", done: 12_000_000, total: 38_000_000 })),
  );
  const bar = screen.getByRole<HTMLProgressElement>("progressbar", { name: "pandas 받는 중" });
  expect([bar.value, bar.max]).toEqual([12_000_000, 38_000_000]);
  expect(screen.getByText("12MB / 38MB")).toBeTruthy();
});

test("words that name the bytes themselves are not followed by them again", () => {
  const text = "pandas 받는 중 12/38 MB";
  shown(panel(building({ step: "environment", text, done: 12_000_000, total: 38_000_000 })));
  expect(screen.getByRole("progressbar", { name: text })).toBeTruthy();
  expect(screen.getByRole("listitem").textContent).toBe(text);
});

test("a few packages are counted", () => {
  shown(panel(building({ step: "environment", text: "requests 준비됨", done: 2, total: 5 })));
  expect(screen.getByText("2/5")).toBeTruthy();
});

test("a step that is over has no bar", () => {
  shown(
    panel(
      building(
        { step: "environment", text: "준비물을 갖췄어요", done: true },
        { step: "test", text: "연습 실행을 해요" },
      ),
    ),
  );
  expect(screen.queryByRole("progressbar")).toBeNull();
});
