/** What happened when: one bar for everything that took time, on a scale of its own. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useTrace } from "../../api/queries";
import type { Run, TraceBar } from "../../api/shapes";
import { Failure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { fine } from "../../ui/time";
import "./trace.css";

export interface Placed {
  key: string;
  bar: TraceBar;
  /** Milliseconds since the run was asked for. */
  from: number;
  /** null: it goes on. */
  ms: number | null;
  /** Parts of the whole, 0 to 100. */
  left: number;
  width: number;
}

/** Where each bar lies; what goes on reaches to `now`. */
export function placed(bars: readonly TraceBar[], now: number): Placed[] {
  const spans = bars.map((bar) => {
    const from = Date.parse(bar.from_at);
    if (bar.ms != null) return { bar, from, to: from + bar.ms, open: false };
    const to = bar.to_at === null ? Math.max(from, now) : Date.parse(bar.to_at);
    return { bar, from, to: Math.max(from, to), open: bar.to_at === null };
  });
  const first = Math.min(...spans.map(({ from }) => from));
  const whole = Math.max(1, Math.max(...spans.map(({ to }) => to)) - first);
  return spans.map(({ bar, from, to, open }, index) => ({
    key: `${index}-${bar.kind}`,
    bar,
    from: from - first,
    ms: open ? null : to - from,
    left: (100 * (from - first)) / whole,
    width: (100 * (to - from)) / whole,
  }));
}

const BAD = new Set(["refused", "failed", "unknown"]);

function useWords() {
  const { t, i18n } = useTranslation();
  const name = (bar: TraceBar) => {
    if (bar.kind === "request") return bar.name;
    const channel = bar.name && t(`channel.${bar.name}`, { defaultValue: bar.name });
    return t(`trace.kind.${bar.kind}`, { channel });
  };
  const end = (bar: TraceBar) => {
    if (bar.kind === "delivery") return t(`delivery.${bar.verdict}`, { defaultValue: bar.verdict });
    if (bar.kind !== "request") return "";
    const answered = bar.verdict === "sent" && bar.status > 0;
    const refusedByPractice = bar.verdict === "practice" && bar.status >= 400;
    return answered || refusedByPractice
      ? String(bar.status)
      : t(`verdict.${bar.verdict}`, { defaultValue: bar.verdict });
  };
  const time = (ms: number | null) => (ms === null ? t("trace.goesOn") : fine(ms, i18n.language));
  return { name, end, time };
}

function Bar({ place }: { place: Placed }) {
  const { t } = useTranslation();
  const { name, end, time } = useWords();
  const { bar } = place;
  const bad = BAD.has(bar.verdict) || bar.status >= 400;
  return (
    <li className="trace-bar" data-kind={bar.kind} data-bad={bad || undefined} data-open={place.ms === null}>
      <span className="trace-name">
        {bar.kind === "request" && <span className="trace-method">{bar.method || "·"} </span>}
        {name(bar)}
      </span>
      <span className="trace-time">
        {end(bar) && <span className="trace-end">{end(bar)}</span>}
        {time(place.ms)}
        <span className="visually-hidden">, {t("trace.after", { time: time(place.from) })}</span>
      </span>
      <span className="trace-track" aria-hidden="true">
        <span
          style={{ insetInlineStart: `min(${place.left}%, 100% - 3px)`, inlineSize: `${place.width}%` }}
        />
      </span>
    </li>
  );
}

function Bars({ run }: { run: Run }) {
  const { t } = useTranslation();
  const { time } = useWords();
  const trace = useTrace(run.id, `${run.status}${run.outcome}${run.settled_at}${run.first_line_at}`);
  if (trace.error) return <Failure problem={trace.error} onRetry={() => void trace.refetch()} />;
  if (!trace.data) return <Skeleton lines={4} />;
  const places = placed(trace.data.items, Date.now());
  if (places.length === 0) return <p className="soft">{t("trace.nothing")}</p>;
  const whole = Math.max(...places.map(({ from, ms }) => from + (ms ?? 0)));
  return (
    <>
      <p className="trace-scale soft" aria-hidden="true">
        <span>0</span>
        <span>{time(whole)}</span>
      </p>
      <ol className="trace-bars">
        {places.map((place) => (
          <Bar key={place.key} place={place} />
        ))}
      </ol>
      {trace.data.more > 0 && <p className="soft">{t("trace.more", { count: trace.data.more })}</p>}
      {trace.data.trace_id && (
        <p className="soft trace-id">
          {t("trace.id")} <code>{trace.data.trace_id}</code>
        </p>
      )}
    </>
  );
}

export function Trace({ run }: { run: Run }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <section className="card trace">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>{t("trace.title")}</h2>
          <Icon name="chevron" size={16} />
        </summary>
        {open && <Bars run={run} />}
      </details>
    </section>
  );
}
