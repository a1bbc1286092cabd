/** A log of any length: only the lines in view exist. Control characters are made visible or dropped. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { RunEntry } from "../../api/shapes";
import { Icon } from "../../ui/icon";

export interface LogLine {
  key: string;
  text: string;
  error: boolean;
}

// Terminal colours and cursor moves say nothing here and could hide text.
const TERMINAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
  /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]/g;

type LogEntry = Extract<RunEntry, { kind: "log" }>;

// A growing log is read again and again; each entry is taken apart once.
const takenApart = new WeakMap<LogEntry, LogLine[]>();

function takeApart(entry: LogEntry): LogLine[] {
  const text = entry.data.text.replace(TERMINAL, "").replace(/\n$/, "");
  const error = entry.data.stream === "stderr";
  return text.split("\n").map((line, index) => ({ key: `${entry.seq}-${index}`, text: line, error }));
}

export function linesOf(entries: readonly RunEntry[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const entry of entries) {
    if (entry.kind !== "log") continue;
    let own = takenApart.get(entry);
    if (!own) {
      own = takeApart(entry);
      takenApart.set(entry, own);
    }
    for (const line of own) lines.push(line);
  }
  return lines;
}

export function Log({ entries, search = false }: { entries: readonly RunEntry[]; search?: boolean }) {
  const { t } = useTranslation();
  const [wanted, setWanted] = useState("");
  const [following, setFollowing] = useState(true);
  const scroller = useRef<HTMLDivElement>(null);
  const all = useMemo(() => linesOf(entries), [entries]);
  const lines = useMemo(() => {
    const part = wanted.trim().toLowerCase();
    return part ? all.filter((line) => line.text.toLowerCase().includes(part)) : all;
  }, [all, wanted]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 22,
    overscan: 12,
  });

  useEffect(() => {
    if (following && lines.length > 0) virtual.scrollToIndex(lines.length - 1);
  }, [following, lines.length, virtual]);

  return (
    <div className="log">
      {search && (
        <label className="search">
          <Icon name="search" size={16} />
          <span className="visually-hidden">{t("log.search")}</span>
          <input
            type="search"
            value={wanted}
            placeholder={t("log.search")}
            onChange={(event) => setWanted(event.target.value)}
          />
          {wanted && <span className="soft">{t("log.found", { count: lines.length })}</span>}
        </label>
      )}
      {/* A scrolling region must be reachable by keyboard */}
      <div
        className="log-scroll"
        ref={scroller}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={t("log.title")}
        style={{ height: virtual.getTotalSize() + 20 }}
        onScroll={(event) => {
          const box = event.currentTarget;
          setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < 40);
        }}
      >
        {lines.length === 0 && <p className="soft">{wanted ? t("log.nothingFound") : t("log.empty")}</p>}
        <div className="log-lines" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const line = lines[item.index];
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                className={line?.error ? "log-line log-error" : "log-line"}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <span className="log-number" aria-hidden="true">
                  {item.index + 1}
                </span>
                <span>{line?.text || " "}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
