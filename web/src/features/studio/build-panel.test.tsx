import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { ConversationDetail, ProgressData } from "../../api/shapes";
import { shown } from "../../test-page";
import { BuildPanel, howFar } from "./build-panel";

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

test("packages that are fetched show how far they are, with the bytes of the one under way", () => {
  const text = "pandas 받는 중 12/38 MB";
  shown(panel(building({ step: "environment", text, done: 2, total: 5 })));
  const bar = screen.getByRole<HTMLProgressElement>("progressbar", { name: text });
  expect(bar.value / bar.max).toBeCloseTo((2 + 12 / 38) / 5);
  expect(screen.getByText("5개 중 2개")).toBeTruthy();
});

test("the only package's bytes are enough for a bar", () => {
  expect(howFar({ step: "environment", text: "pandas 받는 중 19/38 MB", done: 0, total: 1 })).toEqual({
    done: 0.5,
    total: 1,
  });
  expect(howFar({ step: "environment", text: "맞는 버전을 찾는 중", done: 0, total: 0 })).toBeNull();
});

test("after a question about packages was answered the fetching is what goes on", () => {
  shown(
    panel(
      building(
        { step: "environment", text: "맞는 버전을 찾는 중", done: 0, total: 0 },
        { step: "packages", text: "leftpad은 나온 지 이틀 됐어요. 그래도 쓸까요?" },
        { step: "environment", text: "leftpad 준비됨", done: 1, total: 3 },
      ),
    ),
  );
  const steps = screen.getAllByRole("listitem");
  expect(steps.map((step) => step.dataset.state)).toEqual(["active", "done"]);
  expect(steps[1]?.textContent).toBe("준비물을 써도 되는지 여쭤봤어요");
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
