/** Times as people say them; the exact moment is on hover. */
import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for all relative times of the page; it stops when none is shown. */
function everyMinute(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 30_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function relative(at: string, language: string, from: number = Date.now()): string {
  const seconds = (Date.parse(at) - from) / 1000;
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return format.format(0, "second");
}

export function exact(at: string, language: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(language, {
    dateStyle: "medium",
    timeStyle: "medium",
    ...(timeZone ? { timeZone } : {}),
  }).format(new Date(at));
}

/** "내일 오전 9:00", "12월 1일 오전 9:00": a moment to come, in the zone it was planned in. */
export function planned(at: string, language: string, timeZone: string, from: Date = new Date()): string {
  const moment = new Date(at);
  const day = new Intl.DateTimeFormat("en-CA", { timeZone });
  const days = Math.round((Date.parse(day.format(moment)) - Date.parse(day.format(from))) / 86_400_000);
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit", timeZone }).format(
    moment,
  );
  const date =
    Math.abs(days) <= 1
      ? new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day")
      : new Intl.DateTimeFormat(language, {
          month: "short",
          day: "numeric",
          weekday: "short",
          timeZone,
        }).format(moment);
  return `${date} ${clock}`;
}

function amount(value: number, unit: string, language: string, digits = 0): string {
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, style).format(value);
}

/** As `duration`, and below a second in thousandths. */
export function fine(ms: number, language: string): string {
  return ms < 1000 ? amount(ms, "millisecond", language) : duration(ms, language);
}

export function duration(ms: number, language: string): string {
  const unit = (value: number, name: "second" | "minute", digits = 0) =>
    amount(value, name, language, digits);
  if (ms < 60_000) return unit(ms / 1000, "second", ms < 10_000 ? 1 : 0);
  const minutes = Math.floor(ms / 60_000);
  return `${unit(minutes, "minute")} ${unit(Math.round((ms % 60_000) / 1000), "second")}`;
}

export function useCity(): (zone: string) => string {
  const { t } = useTranslation();
  return (zone) =>
    t(`zones.${zone}`, {
      defaultValue: (zone.split("/").at(-1) ?? zone).replaceAll("_", " "),
      nsSeparator: false,
    });
}

export function When({ at }: { at: string }) {
  const { i18n } = useTranslation();
  useSyncExternalStore(everyMinute, () => now);
  return (
    <time dateTime={at} title={exact(at, i18n.language)}>
      {relative(at, i18n.language)}
    </time>
  );
}

export function Planned({ at, zone }: { at: string; zone: string }) {
  const { i18n } = useTranslation();
  const city = useCity();
  return (
    <time dateTime={at} title={`${exact(at, i18n.language, zone)} (${zone})`}>
      {planned(at, i18n.language, zone)} · {city(zone)}
    </time>
  );
}
