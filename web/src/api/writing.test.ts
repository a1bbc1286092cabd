import { expect, test } from "vitest";
import type { LiveFrame } from "./shapes";
import { type Writing, written } from "./writing";

const piece = (more: Partial<LiveFrame>): LiveFrame => ({
  turn: 1,
  block: 0,
  kind: "text",
  name: "",
  at: 0,
  text: "",
  done: false,
  ...more,
});
const all = (...pieces: Partial<LiveFrame>[]) =>
  pieces.map(piece).reduce<Writing | null>((before, each) => written(before, each), null);
const texts = (writing: Writing | null) => writing?.blocks.map((block) => block.text);

test("pieces are put where they say", () => {
  const writing = all(
    { text: "상품을 " },
    { at: 4, text: "볼게요" },
    { block: 1, kind: "tool", name: "look", text: "{" },
  );
  expect(texts(writing)).toEqual(["상품을 볼게요", "{"]);
  expect(writing?.blocks[1]).toMatchObject({ kind: "tool", name: "look" });
});

test("the server counts characters, not halves of them", () => {
  expect(texts(all({ text: "🙂🙂" }, { at: 2, text: "네" }))).toEqual(["🙂🙂네"]);
});

test("who comes late is sent everything from the beginning", () => {
  const early = all({ text: "하나" }, { at: 2, text: "둘" });
  expect(written(early, piece({ text: "하나둘셋" }))).toEqual(all({ text: "하나둘셋" }));
});

test("an answer asked for again drops what broke off, with all its blocks", () => {
  const broken = all({ text: "처음" }, { block: 1, kind: "tool", name: "write_file", text: "{" });
  expect(texts(written(broken, piece({ text: "다시" })))).toEqual(["다시"]);
});

test("the next turn begins from nothing", () => {
  expect(texts(written(all({ text: "앞" }), piece({ turn: 2, text: "뒤" })))).toEqual(["뒤"]);
});

test("the end of a turn leaves nothing being written", () => {
  expect(all({ text: "하나" }, { done: true })).toBeNull();
});

test("a piece that does not fit changes nothing", () => {
  const writing = all({ text: "하나" });
  expect(written(writing, piece({ at: 5, text: "?" }))).toBe(writing);
  expect(written(writing, piece({ block: 3, text: "?" }))).toBe(writing);
});
