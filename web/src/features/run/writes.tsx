/** What a rehearsal would have sent, each exactly as it would go out; any one of them can be sent for real. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { sendWrite } from "../../api/actions";
import type { Run } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { exact } from "../../ui/time";
import { addressParts } from "./outside";
import "./writes.css";
import { isOver } from "./words";

/** `id` is absent in runs from before a single write could be allowed. */
export interface Write {
  id: string | null;
  method: string;
  url: string;
  body: string;
}

export function writesOf(run: Run): Write[] {
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  return (run.would_send ?? []).map((each) => ({
    id: text(each.id) || null,
    method: text(each.method),
    url: text(each.url),
    body: text(each.body),
  }));
}

/** JSON is set out so that it can be read; everything else stays as it is. */
export function readable(body: string): string {
  if (!/^\s*[[{]/.test(body)) return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function Place({ method, url }: { method: string; url: string }) {
  const { host, rest } = addressParts(url);
  return (
    <p className="write-place">
      <span className="exchange-method">{method}</span>
      <span>
        <strong>{host}</strong>
        <wbr />
        {rest}
      </span>
    </p>
  );
}

function Content({ write }: { write: Write }) {
  const { t } = useTranslation();
  return (
    <>
      <Place method={write.method} url={write.url} />
      {write.body ? (
        <pre className="write-body" tabIndex={0} role="group" aria-label={t("writes.body")}>
          {readable(write.body)}
        </pre>
      ) : (
        <p className="soft">{t("writes.noBody")}</p>
      )}
    </>
  );
}

function SendOne({ runId, write }: { runId: string; write: Write & { id: string } }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { busy, act } = useAction();
  const send = () =>
    act(async () => {
      const { id } = await sendWrite(runId, write.id);
      setAsking(false);
      await navigate(`/runs/${id}`);
    });
  const { host } = addressParts(write.url);
  return (
    <>
      <Button icon="send" onClick={() => setAsking(true)}>
        {t("writes.send")}
      </Button>
      {asking && (
        <Confirm
          title={t("writes.sure")}
          yes={t("writes.yes")}
          busy={busy}
          onYes={() => void send()}
          onNo={() => setAsking(false)}
        >
          <p>{t("writes.what", { host })}</p>
          <Content write={write} />
          <p className="soft">{t("writes.how")}</p>
        </Confirm>
      )}
    </>
  );
}

export function Writes({ run }: { run: Run }) {
  const { t } = useTranslation();
  const writes = writesOf(run);
  if (writes.length === 0) return null;
  return (
    <section className="card writes">
      <h2>{t("writes.title", { count: writes.length })}</h2>
      <p className="soft">{t("writes.lead")}</p>
      <ol>
        {writes.map((write, index) => (
          <li key={index}>
            <Content write={write} />
            {write.id && isOver(run) && <SendOne runId={run.id} write={{ ...write, id: write.id }} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What really left, by a run for which sending is real. After being cut off it is what a person must check. */
export function Sent({ run }: { run: Run }) {
  const { t, i18n } = useTranslation();
  const lost = run.reason?.code === "wrote_then_lost";
  const writes = run.writes;
  if (!lost && writes.length === 0) {
    const asked = run.allowed_writes.length > 0 && isOver(run);
    return asked ? <p className="note">{t("writes.notDone")}</p> : null;
  }
  // It is written down before it leaves: while the run goes on, it may still be on its way.
  const title = lost ? "writes.already" : run.status === "running" ? "writes.leaving" : "writes.sent";
  return (
    <section className="card writes">
      <h2>{t(title, { count: writes.length })}</h2>
      {lost && <p className="soft">{t("writes.alreadyLead")}</p>}
      {writes.length > 0 ? (
        <ol>
          {writes.map((write, index) => (
            <li key={index}>
              <Place method={write.method} url={write.url} />
              <p className="soft">{exact(write.at, i18n.language)}</p>
            </li>
          ))}
        </ol>
      ) : (
        <p>{t("writes.alreadyUnknown")}</p>
      )}
    </section>
  );
}
