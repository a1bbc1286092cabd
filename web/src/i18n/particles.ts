/** Korean particles chosen by the final sound of what stands before them, also after digits and Latin letters. */

export type Particle = "은/는" | "이/가" | "을/를" | "과/와" | "으로/로" | "이에요/예요" | "아/야";

const DIGITS_WITH_FINAL = new Set(["0", "1", "3", "6", "7", "8"]); // 영 일 삼 육 칠 팔
const FINAL_RIEUL_DIGITS = new Set(["1", "7", "8"]);
// Letters read by name that end in a consonant (L, M, N, R) and word endings that sound closed in Korean ears.
const LATIN_WITH_FINAL = /(?:[bcdgklmnptr]|ng|ck)$/i;
const NAMED_LETTERS_WITH_FINAL = new Set(["l", "m", "n", "r"]);

type Final = "none" | "rieul" | "other";

function finalOf(word: string): Final {
  const bare = word.trim().replace(/[)\]}"'”’」』>.,!?…\s]+$/u, "");
  const last = bare.at(-1) ?? "";
  const code = last.codePointAt(0) ?? 0;
  if (code >= 0xac00 && code <= 0xd7a3) {
    const jong = (code - 0xac00) % 28;
    if (jong === 0) return "none";
    return jong === 8 ? "rieul" : "other";
  }
  if (/\d/.test(last)) {
    if (!DIGITS_WITH_FINAL.has(last)) return "none";
    return FINAL_RIEUL_DIGITS.has(last) ? "rieul" : "other";
  }
  const letters = /[a-z]+$/i.exec(bare)?.[0] ?? "";
  if (!letters) return "none";
  const acronym = letters.length === 1 || letters === letters.toUpperCase();
  if (acronym) {
    const letter = letters.at(-1)?.toLowerCase() ?? "";
    if (!NAMED_LETTERS_WITH_FINAL.has(letter)) return "none";
    return letter === "l" || letter === "r" ? "rieul" : "other";
  }
  if (!LATIN_WITH_FINAL.test(letters)) return "none";
  if (/r$/i.test(letters)) return "none"; // server → 서버
  return /l$/i.test(letters) ? "rieul" : "other";
}

/** The particle alone: `particle("이메일", "으로/로")` is `로`. */
export function particle(word: string, pair: Particle): string {
  const [closed = "", open = ""] = pair.split("/");
  const final = finalOf(word);
  if (pair === "으로/로" && final === "rieul") return open;
  return final === "none" ? open : closed;
}

export function withParticle(word: string, pair: Particle): string {
  return word + particle(word, pair);
}
