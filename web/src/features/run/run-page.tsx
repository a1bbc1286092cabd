import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { cancelRun } from "../../api/actions";
import { useRunFeed } from "../../api/live";
import { useAgent, useReceipts, useRun } from "../../api/queries";
import type { Run, RunEntry } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { count, size } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { Reconnecting, ScreenFailure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import { duration, exact } from "../../ui/time";
import { useTitle } from "../../ui/title";
import { ParkedQuestion } from "../permission/parked";
import { Artifacts } from "./artifacts";
import { Checks, Messages } from "./deliveries";
import { Log } from "./log";
import { Outside } from "./outside";
import { Repair } from "./repair";
import { Replay, Replayed } from "./replay";
import { StepList, stepsOf } from "./steps";
import { Trace } from "./trace";
import { isAlarm, isOver, standing } from "./words";
import { Sent, Writes } from "./writes";

function Verdict({ run }: { run: Run }) {
  const { t, i18n } = useTranslation();
  const { word, tone, icon } = standing(run);
  const at = run.finished_at ?? run.started_at ?? run.requested_at;
  return (
    <div className={`verdict verdict-${tone}`}>
      <Icon name={icon} size={28} />
      <div>
        <h1 className="display-small">{t(word)}</h1>
        {run.reason && <p className="run-reason">{run.reason.text}</p>}
        {run.status === "queued" && run.place != null && (
          <p className="run-place">{t("run.place", { count: run.place })}</p>
        )}
        <p className="soft">
          {t(`run.kind.${run.kind ?? "manual"}`)}
          {at && ` · ${exact(at, i18n.language)}`}
          {(run.attempt ?? 0) > 1 && ` · ${t("run.attempt", { number: run.attempt })}`}
        </p>
      </div>
    </div>
  );
}

/** A decoy was seen leaving: what happened, and where the agent waits for a yes. */
function Alarm({ run }: { run: Run }) {
  const { t } = useTranslation();
  if (!isAlarm(run)) return null;
  return (
    <div className="note note-bad">
      <Icon name="warn" />
      <div>
        <p>{t("run.alarmText")}</p>
        <Link to={`/agents/${run.agent_id}`}>{t("run.alarmNext")}</Link>
      </div>
    </div>
  );
}

function Usage({ run }: { run: Run }) {
  const { t, i18n } = useTranslation();
  const usage = run.usage;
  if (!usage || !isOver(run)) return null;
  return (
    <section className="card">
      <h2>{t("run.usage")}</h2>
      <dl className="figures">
        <div>
          <dt>{t("run.money")}</dt>
          <dd>{usage.priced ? <Money usdMicros={usage.cost_usd_micros} /> : t("money.unknown")}</dd>
        </div>
        <div>
          <dt>{t("run.tokens")}</dt>
          <dd>{count(usage.input_tokens + usage.output_tokens, i18n.language)}</dd>
        </div>
        <div>
          <dt>{t("run.time")}</dt>
          <dd>{duration(usage.wall_ms, i18n.language)}</dd>
        </div>
        <div>
          <dt>{t("run.memory")}</dt>
          <dd>{size(usage.memory_peak_bytes, i18n.language)}</dd>
        </div>
      </dl>
    </section>
  );
}

function Body({ run, entries }: { run: Run; entries: RunEntry[] }) {
  const { t } = useTranslation();
  const receipts = useReceipts(run.id, `${run.status}${run.outcome}`).data?.items ?? [];
  const steps = stepsOf(entries, run);
  const files = entries.filter((entry) => entry.kind === "file").length;
  return (
    <div className="run-columns">
      <div>
        <h2 className="visually-hidden">{t("run.result")}</h2>
        <Alarm run={run} />
        <Replayed run={run} />
        {run.status === "parked" && (
          <ParkedQuestion requestId={run.permission_request_id} otherwise={run.reason?.text ?? ""} />
        )}
        <Checks run={run} />
        <Messages run={run} receipts={receipts} />
        <Artifacts run={run} stamp={String(files)} />
        <Sent run={run} />
        <Writes run={run} />
      </div>
      <div>
        {steps.length > 0 && (
          <section className="card">
            <h2>{t("run.steps")}</h2>
            <StepList steps={steps} />
          </section>
        )}
        <Outside run={run} />
        <Replay run={run} />
        <Usage run={run} />
        <Trace run={run} />
      </div>
      <section className="card run-log">
        <h2>{t("log.title")}</h2>
        <Log entries={entries} search />
      </section>
    </div>
  );
}

function Screen({ run }: { run: Run }) {
  const { t } = useTranslation();
  const agent = useAgent(run.agent_id).data;
  const { entries, connected } = useRunFeed(run.id);
  const { busy, act } = useAction();
  useTitle(agent ? `${agent.name} · ${t("run.title")}` : t("run.title"));
  return (
    <div className="run">
      <header className="run-head">
        <Link to={`/agents/${run.agent_id}`} className="back">
          <Icon name="back" size={16} /> {agent?.name ?? t("nav.agents")}
        </Link>
        <Verdict run={run} />
        {!isOver(run) && (
          <Button icon="stop" busy={busy} onClick={() => void act(() => cancelRun(run.id))}>
            {t("run.cancel")}
          </Button>
        )}
        <Repair run={run} />
        <Reconnecting connected={connected} />
      </header>
      <Body run={run} entries={entries} />
    </div>
  );
}

export default function RunPage() {
  const { id = "" } = useParams();
  const run = useRun(id);
  if (run.data) return <Screen key={id} run={run.data} />;
  if (run.error) return <ScreenFailure problem={run.error} onRetry={() => void run.refetch()} />;
  return <Skeleton lines={8} />;
}
