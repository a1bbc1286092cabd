import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { TraceBar } from "../../api/shapes";
import { shown } from "../../test-page";
import { RUN_ID, sampleRun } from "./sample-run";
import { placed, Trace } from "./trace";

const at = (ms: number) => new Date(Date.UTC(2026, 10, 22, 20, 0, 0, ms)).toISOString();
const bar = (
  kind: TraceBar["kind"],
  from: number,
  to: number | null,
  more: Partial<TraceBar> = {},
): TraceBar => ({
  kind,
  from_at: at(from),
  to_at: to === null ? null : at(to),
  name: "",
  method: "",
  status: 0,
  verdict: "",
  ms: null,
  ...more,
});
const request = (from: number, ms: number, more: Partial<TraceBar>): TraceBar =>
  bar("request", from, null, { ms, method: "GET", verdict: "sent", ...more });

const ITEMS = [
  bar("funded", 0, 100),
  bar("code", 200, 900),
  request(300, 400, { name: "shop.example.com", status: 200 }),
  request(750, 50, { name: "ads.example.net", status: 403, verdict: "refused" }),
  bar("delivery", 900, 1000, { name: "slack", verdict: "sent" }),
];
const PATH = `GET /api/v1/runs/${RUN_ID}/trace`;
const answers = (change: object = {}) => ({ [PATH]: { items: ITEMS, more: 3, trace_id: "", ...change } });

test("bars lie on one scale, from the first beginning to the last end", () => {
  const places = placed(ITEMS, Date.parse(at(5000)));
  expect(places.map(({ from, ms, left, width }) => [from, ms, left, width])).toEqual([
    [0, 100, 0, 10],
    [200, 700, 20, 70],
    [300, 400, 30, 40],
    [750, 50, 75, 5],
    [900, 100, 90, 10],
  ]);
});

test("what goes on reaches to now and has no length yet", () => {
  const [, code] = placed([bar("funded", 0, 100), bar("code", 100, null)], Date.parse(at(400)));
  expect([code?.ms, code?.left, code?.width]).toEqual([null, 25, 75]);
  expect(placed([bar("code", 100, null)], Date.parse(at(50)))[0]?.width).toBe(0);
  expect(placed([], 0)).toEqual([]);
});

test("nothing is asked for before somebody looks; then each bar says what, how it ended and how long", async () => {
  const asked = shown(<Trace run={sampleRun()} />, answers());
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByText("언제 무엇을 했나"));

  const rows = within(await screen.findByRole("list")).getAllByRole("listitem");
  expect(rows.map((row) => row.textContent)).toEqual([
    "비용 확인100ms, 시작하고 0ms 뒤",
    "에이전트가 일함700ms, 시작하고 200ms 뒤",
    "GET shop.example.com200400ms, 시작하고 300ms 뒤",
    "GET ads.example.net막음50ms, 시작하고 750ms 뒤",
    "슬랙 전달전달 확인100ms, 시작하고 900ms 뒤",
  ]);
  expect(rows.map((row) => row.dataset.bad)).toEqual([undefined, undefined, undefined, "true", undefined]);
  expect(screen.getByText("요청 3개는 여기에 없어요.")).toBeTruthy();
  expect(screen.queryByText(/추적 번호/)).toBeNull();
});

test("an old run without times says so, a traced one its number", async () => {
  shown(<Trace run={sampleRun()} />, answers({ items: [], more: 0 }));
  await userEvent.click(screen.getByText("언제 무엇을 했나"));
  expect(await screen.findByText("이 실행에는 남은 시각이 없어요.")).toBeTruthy();
});

test("the operator's number is there where there is one", async () => {
  shown(<Trace run={sampleRun()} />, answers({ trace_id: "0af7651916cd43dd8448eb211c80319c" }));
  await userEvent.click(screen.getByText("언제 무엇을 했나"));
  expect(await screen.findByText("0af7651916cd43dd8448eb211c80319c")).toBeTruthy();
});
