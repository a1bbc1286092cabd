/** A run as it happens: steps while it works, then what it delivered, or why not. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useRunFeed } from "../../api/live";
import { useReceipts, useRun } from "../../api/queries";
import type { Run } from "../../api/shapes";
import { Reconnecting, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";
import { ParkedQuestion } from "../permission/parked";
import { Artifacts } from "./artifacts";
import { Checks, Messages } from "./deliveries";
import { StepList, stepsOf } from "./steps";
import { gist, isOver, isSettled, standing } from "./words";

export function Badge({ run }: { run: Parameters<typeof standing>[0] }) {
  const { t } = useTranslation();
  const { word, tone, icon } = standing(run);
  return (
    <span className={`badge badge-${tone}`}>
      <Icon name={icon} size={14} />
      {t(word)}
    </span>
  );
}

function Ended({ run }: { run: Run }) {
  const receipts = useReceipts(run.id, `${run.status}${run.outcome}`).data?.items ?? [];
  return (
    <>
      {run.reason && <p className="run-reason">{run.reason.text}</p>}
      {run.outcome !== "delivered" && <Checks run={run} />}
      <Messages run={run} receipts={receipts} brief />
      <Artifacts run={run} brief />
    </>
  );
}

export function RunCard({ id, title }: { id: string; title: string }) {
  const { t } = useTranslation();
  const run = useRun(id).data;
  const { entries, connected } = useRunFeed(isSettled(run) ? null : id);
  const steps = stepsOf(entries, run);
  return (
    <article className="card run-card" aria-label={title} aria-busy={!isSettled(run)}>
      <header>
        <h3>{title}</h3>
        {run && <Badge run={run} />}
      </header>
      {!run && <Skeleton lines={2} />}
      {run && !isOver(run) && steps.length > 0 && <StepList steps={steps} />}
      {run?.status === "parked" && (
        <ParkedQuestion requestId={run.permission_request_id} otherwise={run.reason?.text ?? ""} />
      )}
      {run && isOver(run) && <Ended run={run} />}
      <footer>
        <Link to={`/runs/${id}`}>{t("run.open")}</Link>
        {run?.finished_at && <When at={run.finished_at} />}
      </footer>
      <Reconnecting connected={connected} />
    </article>
  );
}

export function RunLine({ run }: { run: Run }) {
  const { t } = useTranslation();
  const at = run.finished_at ?? run.requested_at;
  return (
    <Link to={`/runs/${run.id}`} className="run-line">
      <Badge run={run} />
      <span className="run-line-text">{run.reason?.text ?? gist(run.deliveries[0]?.text ?? "")}</span>
      <span className="soft">{t(`run.kind.${run.kind ?? "manual"}`)}</span>
      {at && <When at={at} />}
    </Link>
  );
}
