/** What left this machine: the places, then, opened, every single exchange as it was kept. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useTape } from "../../api/queries";
import type { Exchange, Run } from "../../api/shapes";
import { size } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { Failure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import "./outside.css";
import { isOver } from "./words";

const KEPT_MS = 30 * 24 * 3_600_000;
const PAGE = 50;

/** Key of the sentence that says what was kept of a run; null while there is nothing to say yet. */
export function tapeWords(run: Run, now: number = Date.now()): string | null {
  if (!isOver(run) || run.kind === "replay") return null;
  const ended = run.finished_at ? Date.parse(run.finished_at) : now;
  if (run.tape !== "off" && now - ended > KEPT_MS) return "tape.gone";
  return `tape.${run.tape}`;
}

const BLOCKED = new Set(["refused", "failed"]);

function Hosts({ run }: { run: Run }) {
  const { t, i18n } = useTranslation();
  // In a replay nothing goes out: what was answered then is answered again.
  const said = (verdict: string) =>
    run.kind === "replay" && !BLOCKED.has(verdict) && verdict !== "would_send" ? "replayed" : verdict;
  return (
    <ul className="hosts">
      {(run.hosts ?? []).map((host) => (
        <li key={`${host.host}${host.verdict}`} data-verdict={host.verdict}>
          <Icon name={BLOCKED.has(host.verdict) ? "cross" : "globe"} size={16} />
          <span className="host-name">{host.host}</span>
          <span className="soft">
            {t(`verdict.${said(host.verdict)}`, { defaultValue: host.verdict })} ·{" "}
            {t("agent.requests", { count: host.requests })} · {size(host.bytes_in, i18n.language)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Text({ label, text }: { label: string; text: string }) {
  return (
    <figure className="exchange-text">
      <figcaption>{label}</figcaption>
      {/* A scrolling region must be reachable by keyboard */}
      <pre tabIndex={0} role="group" aria-label={label}>
        {text}
      </pre>
    </figure>
  );
}

/** An address in two parts, so that the host can be read at a glance. */
export function addressParts(url: string): { host: string; rest: string } {
  const found = /^(?:https?:\/\/)?([^/?#]*)(.*)$/.exec(url);
  return { host: found?.[1] ?? url, rest: found?.[2] || "/" };
}

export function ExchangeRow({ exchange }: { exchange: Exchange }) {
  const { t, i18n } = useTranslation();
  const { host, rest } = addressParts(exchange.url);
  const blocked = BLOCKED.has(exchange.verdict);
  // Reasons this page has no words for are for programs.
  const why = exchange.reason && t(`tape.why.${exchange.reason}`, { defaultValue: "" });
  const texts = Boolean(exchange.request_text || exchange.answer_text);
  return (
    <li className="exchange" data-verdict={exchange.verdict}>
      <details>
        <summary>
          <Icon name="chevron" size={14} />
          <span className="exchange-method">{exchange.method || "·"}</span>
          <span className="exchange-place">
            <strong>{host}</strong>
            <wbr />
            {rest}
          </span>
          <span className={blocked ? "exchange-end exchange-blocked" : "exchange-end"}>
            {exchange.verdict === "sent" || exchange.verdict === "practice"
              ? exchange.status || ""
              : t(`verdict.${exchange.verdict}`, { defaultValue: exchange.verdict })}
            <small>{size(exchange.bytes_in, i18n.language)}</small>
          </span>
        </summary>
        <div className="exchange-body">
          <p className="soft">
            {t(`verdict.${exchange.verdict}`, { defaultValue: exchange.verdict })} ·{" "}
            {t("tape.out", { size: size(exchange.bytes_out, i18n.language) })} ·{" "}
            {t("tape.in", { size: size(exchange.bytes_in, i18n.language) })}
            {exchange.content_type && ` · ${exchange.content_type}`}
          </p>
          {why && <p>{why}</p>}
          {exchange.request_text && <Text label={t("tape.request")} text={exchange.request_text} />}
          {exchange.answer_text && <Text label={t("tape.answer")} text={exchange.answer_text} />}
          {!texts && <p className="soft">{t("tape.noText")}</p>}
        </div>
      </details>
    </li>
  );
}

function Tape({ run }: { run: Run }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [shown, setShown] = useState(PAGE);
  const tape = useTape(run.id, open);
  const items = tape.data?.items ?? [];
  return (
    <details className="tape" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="chevron" size={16} />
        {t("tape.each")}
      </summary>
      {open && tape.isPending && <Skeleton lines={3} />}
      {tape.error && <Failure problem={tape.error} onRetry={() => void tape.refetch()} />}
      {tape.data && items.length === 0 && <p className="soft">{t("tape.empty")}</p>}
      {tape.data?.complete === false && <p className="note">{t("tape.incomplete")}</p>}
      <ol className="exchanges">
        {items.slice(0, shown).map((exchange) => (
          <ExchangeRow key={exchange.n} exchange={exchange} />
        ))}
      </ol>
      {items.length > shown && <Button onClick={() => setShown(shown + PAGE)}>{t("more")}</Button>}
    </details>
  );
}

export function Outside({ run }: { run: Run }) {
  const { t } = useTranslation();
  const words = tapeWords(run);
  const hosts = run.hosts ?? [];
  if (hosts.length === 0 && !words) return null;
  const readable = words === "tape.full" || words === "tape.headers";
  return (
    <section className="card outside">
      <h2>{t(run.kind === "replay" ? "replay.hosts" : "run.hosts")}</h2>
      {hosts.length > 0 ? <Hosts run={run} /> : <p>{t("tape.nothingLeft")}</p>}
      {hosts.length > 0 && words && <p className="soft">{t(words)}</p>}
      {hosts.length > 0 && readable && <Tape run={run} />}
    </section>
  );
}
