import { expect, test } from "vitest";
import { readPartial } from "./partial-json";

const PLAN = {
  name: "신제품 봇 🙂",
  steps: ["읽기", '"따옴표"와 \\ 줄\n바꿈', "보고"],
  tokens: { per_run: -1.5e3, per_day: 0 },
  state: true,
  schedule: null,
};

/** Everything in `part` is also in `whole`, texts perhaps shorter. */
function within(part: unknown, whole: unknown): boolean {
  if (typeof part === "string") return typeof whole === "string" && whole.startsWith(part);
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((each, index) => within(each, whole[index]));
  }
  if (part && typeof part === "object") {
    return Object.entries(part).every(([name, each]) =>
      within(each, (whole as Record<string, unknown>)[name]),
    );
  }
  return Object.is(part, whole);
}

for (const text of [JSON.stringify(PLAN), JSON.stringify(PLAN, null, 2)]) {
  test("cut anywhere, what is read is a part of the whole, and it never shrinks", () => {
    let size = 0;
    const signs = [...text];
    for (let cut = 1; cut <= signs.length; cut += 1) {
      const found = readPartial(signs.slice(0, cut).join(""));
      expect(within(found, PLAN)).toBe(true);
      const now = JSON.stringify(found)?.length ?? 0;
      expect(now).toBeGreaterThanOrEqual(size);
      size = now;
    }
    expect(JSON.parse(JSON.stringify(readPartial(text)))).toEqual(PLAN);
  });
}

test("escapes that are cut in two wait for their other half", () => {
  expect(readPartial('{"a":"x\\')).toMatchObject({ a: "x" });
  expect(readPartial('{"a":"x\\u00')).toMatchObject({ a: "x" });
  expect(readPartial('{"a":"x\\u00e9')).toMatchObject({ a: "xé" });
});

test("what is no JSON is read as far as it is", () => {
  expect(readPartial('{"a": 1, oops')).toEqual(expect.objectContaining({ a: 1 }));
  expect(readPartial("oops")).toBeUndefined();
  expect(readPartial("")).toBeUndefined();
});

test("a number that may go on is not there yet", () => {
  expect(readPartial('{"a": 12')).not.toHaveProperty("a");
  expect(readPartial('{"a": 12,')).toMatchObject({ a: 12 });
});

test("depth without end and odd names do no harm", () => {
  expect(() => readPartial("[".repeat(5000))).not.toThrow();
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  readPartial('{"__proto__": {"polluted": 1}}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
