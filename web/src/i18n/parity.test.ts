import { expect, test } from "vitest";
import en from "./en.json";
import ko from "./ko.json";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) found.set(inner, text);
  }
  return found;
}

const korean = flat(ko);
const english = flat(en);
const holes = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1]).sort();

/** English alone says one thing otherwise than several. */
const forOne = [...english.keys()].filter((key) => key.endsWith("_one"));

test("both languages have the same sentences", () => {
  expect([...korean.keys()].sort()).toEqual(
    [...english.keys()].filter((key) => !forOne.includes(key)).sort(),
  );
});

test("one thing is not told as several", () => {
  const several = [...english].filter(([, text]) => /\{\{count\}\} \w+s\b/.test(text)).map(([key]) => key);
  expect(several.length).toBeGreaterThan(3);
  expect(several.map((key) => `${key}_one`).sort()).toEqual(forOne.sort());
});

test("a sentence has the same holes in both languages and is never empty", () => {
  for (const [key, text] of korean) {
    expect(text.trim(), key).not.toBe("");
    expect(english.get(key)?.trim(), key).not.toBe("");
    expect(holes(english.get(key) ?? ""), key).toEqual(holes(text));
  }
});

test("every sentence the page names is in the catalogue", () => {
  const sources = import.meta.glob<string>("../**/*.tsx", { query: "?raw", import: "default", eager: true });
  const named = Object.values(sources).flatMap((source) =>
    [...source.matchAll(/\bt\(\s*"([\w.]+)"/g)].map((match) => match[1] ?? ""),
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((key) => !korean.has(key))).toEqual([]);
});
