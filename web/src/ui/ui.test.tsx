import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { matches } from "../features/agents/jamo";
import { money, size } from "./amounts";
import { lex } from "./code";
import { planned, relative } from "./time";
import { Toasts, toast } from "./toast";

const now = new Date("2026-11-22T20:00:00Z"); // 05:00 on the 23rd in Seoul

test("a planned moment is told in the zone it was planned in", () => {
  expect(planned("2026-11-23T00:00:00Z", "ko", "Asia/Seoul", now)).toBe("오늘 오전 9:00");
  expect(planned("2026-11-24T00:00:00Z", "ko", "Asia/Seoul", now)).toBe("내일 오전 9:00");
  expect(planned("2026-11-24T00:00:00Z", "en", "Asia/Seoul", now)).toMatch(/^tomorrow 9:00\sAM$/);
});

test("relative times round to the largest unit", () => {
  expect(relative("2026-11-22T19:57:00Z", "ko", now.getTime())).toBe("3분 전");
  expect(relative("2026-11-20T20:00:00Z", "en", now.getTime())).toBe("2 days ago");
});

test("nothing spent is said in the reader's own currency", () => {
  expect(money(0, "ko")).toBe("0원");
  expect(money(0, "en")).toBe("$0");
  expect(money(12_300, "en")).toBe("$0.0123");
  expect(money(12_300, "ko")).toBe("약 17원");
  expect(money(1_234_000, "ko")).toBe("약 1,690원");
  expect(money(100, "ko")).toBe("1원 미만");
});

test("sizes have the unit that fits", () => {
  expect(size(8275, "en")).toBe("8.3 kB");
  expect(size(0, "en")).toBe("0 bytes");
});

test("initial consonants find a word", () => {
  expect(matches("쿠팡 신제품", "ㅋㅍ")).toBe(true);
  expect(matches("쿠팡 신제품", "팡 ㅅ")).toBe(true);
  expect(matches("쿠팡 신제품", "ㄴㅂ")).toBe(false);
  expect(matches("아무거나", "")).toBe(true);
});

test("colouring code loses no character", () => {
  const code = "def a(x):  # 설명 \"따옴표\"\n    return f\"{x}\" + '''여\n러 줄''' + 1_000.5\n";
  const pieces = lex(code);
  expect(pieces.map((piece) => piece.text).join("")).toBe(code);
  expect(pieces.filter((piece) => piece.kind === "comment").map((piece) => piece.text)).toEqual([
    '# 설명 "따옴표"',
  ]);
});

test("a toast can be taken back once", async () => {
  const taken: string[] = [];
  render(<Toasts />);
  toast("껐어요", { action: { label: "되돌리기", run: () => taken.push("undo") } });
  await userEvent.click(await screen.findByRole("button", { name: "되돌리기" }));
  expect(taken).toEqual(["undo"]);
  expect(screen.queryByText("껐어요")).toBeNull();
});
