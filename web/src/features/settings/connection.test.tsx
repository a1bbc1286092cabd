import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Connection, Connections } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { ConnectionCard } from "./connection";

const line = (change: Partial<Connection> = {}): Connection => ({
  kind: "claude",
  state: "working",
  hint: "ABCD",
  model: "claude-x",
  code: "",
  problem: "",
  tokens: 31,
  cost_usd_micros: 12_300,
  typed_at: "2026-11-22T20:00:00Z",
  tested_at: "2026-11-22T20:00:01Z",
  ...change,
});
const connections = (change: Partial<Connections> = {}): Connections => ({
  items: [],
  operator: false,
  wanted: true,
  model: "claude-default",
  ...change,
});
const PUT = "PUT /api/v1/connections/claude";

test("a pasted key is sent once and does not stay in the page", async () => {
  const asked = shown(<ConnectionCard connections={connections()} />, { [PUT]: { id: "c" } });
  const box = screen.getByLabelText<HTMLInputElement>("Claude 키");
  expect(box.type).toBe("password");
  await userEvent.type(box, " sk-ant-key ");
  await userEvent.click(screen.getByRole("button", { name: "연결하기" }));
  expect(changes(asked).map(({ body }) => body)).toEqual([{ key: "sk-ant-key", model: null }]);
  expect(box.value).toBe("");
});

test("a connection that works says what the test took, and never more of the key than four characters", () => {
  shown(<ConnectionCard connections={connections({ items: [line()] })} />);
  expect(screen.getByText(/연결됐어요/)).toBeTruthy();
  expect(screen.getByText(/…ABCD/)).toBeTruthy();
  expect(screen.getByText("약 17원")).toBeTruthy();
});

test("a model without a known price is not called free", () => {
  shown(<ConnectionCard connections={connections({ items: [line({ cost_usd_micros: null })] })} />);
  expect(screen.getByText(/값을 몰라요/)).toBeTruthy();
});

test("what is wrong with a key is said in the server's sentence", () => {
  const failed = line({ state: "failed", problem: "Claude가 이 키를 받아 주지 않아요." });
  shown(<ConnectionCard connections={connections({ items: [failed] })} />);
  expect(screen.getByText("Claude가 이 키를 받아 주지 않아요.")).toBeTruthy();
});

test("another model is tried with the key that is there", async () => {
  const asked = shown(<ConnectionCard connections={connections({ items: [line()] })} />, { [PUT]: {} });
  const box = screen.getByLabelText("모델 이름");
  await userEvent.clear(box);
  await userEvent.type(box, "claude-y");
  await userEvent.click(screen.getByRole("button", { name: "시험하고 바꾸기" }));
  expect(changes(asked).map(({ body }) => body)).toEqual([{ key: null, model: "claude-y" }]);
});

test("taking the key away is asked about first", async () => {
  const asked = shown(<ConnectionCard connections={connections({ items: [line()] })} />, {
    "DELETE /api/v1/connections/claude": {},
  });
  await userEvent.click(screen.getByRole("button", { name: "연결 끊기" }));
  expect(changes(asked)).toEqual([]);
  const [, yes] = screen.getAllByRole("button", { name: "연결 끊기", hidden: true });
  await userEvent.click(yes as HTMLElement);
  expect(changes(asked).map(({ method }) => method)).toEqual(["DELETE"]);
});
