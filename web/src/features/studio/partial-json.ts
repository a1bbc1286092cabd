/** Reads JSON that is still being written: whatever is there so far, nothing that is not. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const DEEPEST = 64;
const NAMED: [string, Json][] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** Thrown where the text ends, and where it is no JSON: both mean that no more can be read. */
class End extends Error {}

class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  /** `keep` is called with the value as it grows, so that it is known when the text ends within it. */
  value(keep: (value: Json) => void, depth = 0): void {
    this.space();
    const first = this.text[this.at];
    if (depth > DEEPEST) throw new End();
    if (first === "{") this.object(keep, depth);
    else if (first === "[") this.list(keep, depth);
    else if (first === '"') this.string(keep);
    else this.scalar(keep);
  }

  private object(keep: (value: Json) => void, depth: number): void {
    const made: { [name: string]: Json } = Object.create(null);
    keep(made);
    this.at += 1;
    for (;;) {
      this.space();
      if (this.take("}")) return;
      let name = "";
      if (this.text[this.at] !== '"') throw new End();
      this.string((text) => {
        name = String(text);
      }, true);
      this.space();
      if (!this.take(":")) throw new End();
      this.value((value) => {
        made[name] = value;
      }, depth + 1);
      this.space();
      if (!this.take(",") && this.text[this.at] !== "}") throw new End();
    }
  }

  private list(keep: (value: Json) => void, depth: number): void {
    const made: Json[] = [];
    keep(made);
    this.at += 1;
    for (let index = 0; ; index += 1) {
      this.space();
      if (this.take("]")) return;
      this.value((value) => {
        made[index] = value;
      }, depth + 1);
      this.space();
      if (!this.take(",") && this.text[this.at] !== "]") throw new End();
    }
  }

  /** `whole`: a name that is cut off names nothing. */
  private string(keep: (value: string) => void, whole = false): void {
    const parts: string[] = [];
    let from = this.at + 1;
    let at = from;
    const ended = (to: number) => {
      parts.push(this.text.slice(from, to));
      keep(parts.join(""));
    };
    for (;;) {
      const sign = this.text[at];
      if (sign === undefined || sign === "\\") {
        if (sign === undefined || !this.text[at + 1]) {
          if (!whole) ended(at);
          throw new End();
        }
        parts.push(this.text.slice(from, at));
        const sort = this.text[at + 1] ?? "";
        const long = sort === "u";
        const digits = this.text.slice(at + 2, at + 6);
        if (long && !/^[0-9a-fA-F]{4}$/.test(digits)) {
          if (!whole) keep(parts.join(""));
          throw new End();
        }
        parts.push(long ? String.fromCharCode(Number.parseInt(digits, 16)) : (ESCAPES[sort] ?? sort));
        at += long ? 6 : 2;
        from = at;
      } else if (sign === '"') {
        ended(at);
        this.at = at + 1;
        return;
      } else at += 1;
    }
  }

  private scalar(keep: (value: Json) => void): void {
    const rest = this.text.slice(this.at, this.at + 40);
    for (const [word, value] of NAMED) {
      if (rest.startsWith(word)) {
        this.at += word.length;
        keep(value);
        return;
      }
    }
    // The last digit may not have come yet: a number counts when something follows it.
    const number = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[\s,\]}])/.exec(rest)?.[0];
    if (number === undefined) throw new End();
    this.at += number.length;
    keep(Number(number));
  }

  private space(): void {
    while (" \n\r\t".includes(this.text[this.at] ?? "x")) this.at += 1;
  }

  private take(sign: string): boolean {
    const there = this.text[this.at] === sign;
    if (there) this.at += 1;
    return there;
  }
}

/** Undefined when not even the beginning of a value is there. */
export function readPartial(text: string): Json | undefined {
  let found: Json | undefined;
  try {
    new Reader(text).value((value) => {
      found = value;
    });
  } catch (reason) {
    if (!(reason instanceof End)) throw reason;
  }
  return found;
}
