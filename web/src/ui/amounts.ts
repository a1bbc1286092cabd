/** Sizes and money as people read them. */
import { WON_PER_DOLLAR } from "./rates";

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

/** In the reader's own currency. Won are changed from dollars at a day's rate, so they are about right. */
export function money(usdMicros: number, language: string): string {
  if (language !== "ko") return usdMicros === 0 ? "$0" : dollars(usdMicros, language);
  if (usdMicros === 0) return "0원";
  const won = (usdMicros / 1_000_000) * WON_PER_DOLLAR.rate;
  if (won < 1) return "1원 미만";
  return `약 ${count(won < 100 ? Math.round(won) : Number(won.toPrecision(3)), language)}원`;
}

/** As it is billed. */
export function dollars(usdMicros: number, language: string): string {
  return new Intl.NumberFormat(language, {
    style: "currency",
    currency: "USD",
    maximumFractionDigits: usdMicros < 1_000_000 ? 4 : 2,
  }).format(usdMicros / 1_000_000);
}

export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}
