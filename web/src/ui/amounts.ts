/** Sizes and money as people read them. */

export function size(bytes: number, language: string): string {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const step = Math.min(steps.length - 1, Math.floor(Math.log(Math.max(1, bytes)) / Math.log(1000)));
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: steps[step] ?? "byte",
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: 1,
  }).format(bytes / 1000 ** step);
}

/** Nothing spent is said in the reader's own currency; what was spent, in the one it is billed in. */
export function money(usdMicros: number, language: string): string {
  if (usdMicros === 0) return language === "ko" ? "0원" : "$0";
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: usdMicros < 1_000_000 ? 4 : 2,
  }).format(usdMicros / 1_000_000);
}

export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}
