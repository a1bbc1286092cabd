import { expect, test } from "vitest";
import { merge, place } from "./live";
import { furthest, newest } from "./queries";
import type { ConversationDetail, Run, RunEntry } from "./shapes";

const log = (seq: number, text = ""): RunEntry => ({
  id: `run-${seq}`,
  workspace_id: "w",
  run_id: "run",
  attempt: 1,
  seq,
  at: "2026-11-22T20:00:00Z",
  kind: "log",
  data: { stream: "stdout", text },
});

test("entries stand in the order of their numbers however they arrive", () => {
  const arrived = [log(3), log(1), log(2)];
  expect(arrived.reduce<RunEntry[]>(place, []).map((entry) => entry.seq)).toEqual([1, 2, 3]);
});

test("the same entry twice is there once, with its newest content", () => {
  const entries = merge([log(1), log(2, "old")], [log(2, "new"), log(3)]);
  expect(entries.map((entry) => entry.seq)).toEqual([1, 2, 3]);
  expect(entries[1]).toMatchObject({ data: { text: "new" } });
});

const detail = (state: ConversationDetail["state"], updated_at: string, seqs: number[]) =>
  ({ state, updated_at, messages: seqs.map((seq) => ({ seq })) }) as unknown as ConversationDetail;

test("an answer older than the stream keeps what the stream has brought", () => {
  const merged = newest(
    detail("thinking", "2026-11-22T20:00:01Z", [1]),
    detail("proposed", "2026-11-22T20:00:02Z", [1, 2, 3]),
  );
  expect(merged.state).toBe("proposed");
  expect(merged.messages.map((entry) => entry.seq)).toEqual([1, 2, 3]);
});

test("a newer answer wins", () => {
  const merged = newest(
    detail("ready", "2026-11-22T20:00:03Z", [1, 2]),
    detail("testing", "2026-11-22T20:00:02Z", [1]),
  );
  expect(merged.state).toBe("ready");
});

test("a run never goes back when an answer was overtaken by the stream", () => {
  const parked = { status: "parked", attempt: 1 } as Run;
  const running = { status: "running", attempt: 2, started_at: "2026-11-22T20:00:02Z" } as Run;
  const over = { ...running, status: "succeeded", finished_at: "2026-11-22T20:00:03Z" } as Run;
  expect(furthest(parked, over)).toBe(over);
  expect(furthest(running, over)).toBe(over);
  expect(furthest(over, running)).toBe(over);
  expect(furthest(parked, undefined)).toBe(parked);
});
