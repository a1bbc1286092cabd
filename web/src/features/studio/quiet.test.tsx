import { act, cleanup } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { shown } from "../../test-page";
import { WritingView } from "./writing";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const quiet = () => document.querySelector(".writing-quiet")?.textContent;

test("a long silence is counted, in a line that was there before", () => {
  shown(<WritingView writing={{ turn: 1, blocks: [] }} />);
  expect(quiet()).toBe("");
  act(() => vi.advanceTimersByTime(2_000));
  expect(quiet()).toBe("");
  act(() => vi.advanceTimersByTime(10_000));
  expect(quiet()).toBe("12초째 생각하고 있어요");
});
