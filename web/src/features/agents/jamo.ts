/** Search that finds 쿠팡 by ㅋㅍ: letters of the wanted text may be initial consonants. */
const INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";

function initialOf(letter: string): string {
  const code = letter.charCodeAt(0) - 0xac00;
  return code >= 0 && code < 11_172 ? (INITIALS[Math.floor(code / 588)] ?? letter) : letter;
}

export function matches(text: string, wanted: string): boolean {
  const part = [...wanted.trim().toLowerCase()];
  const letters = [...text.toLowerCase()];
  return letters.some((_, from) =>
    part.every((sign, index) => {
      const letter = letters[from + index];
      return (
        letter !== undefined && (letter === sign || (INITIALS.includes(sign) && initialOf(letter) === sign))
      );
    }),
  );
}
