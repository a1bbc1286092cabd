/** A schedule as days and a time, where it is one; anything else stays the five fields of cron. */

export interface Weekly {
  /** 0 is Sunday; empty: every day. */
  days: number[];
  /** "09:00" */
  time: string;
}

export function weeklyOf(cron: string): Weekly | null {
  const [minute = "", hour = "", day, month, weekday = ""] = cron.trim().split(/\s+/);
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}$/.test(hour) || day !== "*" || month !== "*") return null;
  if (Number(minute) > 59 || Number(hour) > 23) return null;
  const days = daysOf(weekday);
  return days && { days, time: `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}` };
}

function daysOf(field: string): number[] | null {
  if (field === "*") return [];
  const days = new Set<number>();
  for (const part of field.split(",")) {
    const [from = "", to = from] = part.split("-");
    if (!/^[0-7]$/.test(from) || !/^[0-7]$/.test(to) || Number(to) < Number(from)) return null;
    for (let day = Number(from); day <= Number(to); day += 1) days.add(day % 7);
  }
  return days.size === 7 ? [] : [...days].sort();
}

export function cronOf({ days, time }: Weekly): string {
  const [hour = "0", minute = "0"] = time.split(":");
  const weekday = days.length === 0 || days.length === 7 ? "*" : [...days].sort().join(",");
  return `${Number(minute)} ${Number(hour)} * * ${weekday}`;
}
