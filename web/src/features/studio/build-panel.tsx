/** What is being made, while it is made: steps, the rehearsal and its log, files to read, the message to come. */
import type { TFunction } from "i18next";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationDetail, ConversationEntry, ProgressData, Run, RunEntry } from "../../api/shapes";
import { Icon, type IconName } from "../../ui/icon";
import { Artifacts } from "../run/artifacts";
import { Checks, Messages } from "../run/deliveries";
import { Log } from "../run/log";
import { Badge } from "../run/run-card";
import { StepList, stepsOf } from "../run/steps";
import { isOver } from "../run/words";
import { Writes } from "../run/writes";
import { Files } from "../version/files";

function isDone({ done, total }: ProgressData): boolean {
  return typeof done === "boolean" ? done : done !== undefined && (total ?? 0) > 0 && done >= (total ?? 0);
}

const NAMED_HERE = new Set(["files", "started", "packages"]);

/** The last word of each step, in the order the steps began; steps without words are left out. */
export function progressOf(messages: readonly ConversationEntry[], t: TFunction): ProgressData[] {
  const steps = new Map<string, ProgressData>();
  for (const entry of messages) {
    if (entry.kind !== "progress") continue;
    const { step, text, files, path, lines } = entry.data;
    if (step === "waiting") continue; // told in the conversation while it lasts
    const words =
      (step !== "packages" && text) ||
      (NAMED_HERE.has(step) ? t(`panel.step.${step}`, { count: files?.length ?? 0 }) : "");
    // Files are told one by one, each with how long it is now.
    const named = step === "file" ? t("panel.step.file", { path: path ?? text, count: lines ?? 0 }) : words;
    if (named) steps.set(step === "file" ? `file ${path ?? text}` : step, { ...entry.data, text: named });
  }
  return [...steps.values()];
}

interface HowFar {
  done: number;
  total: number;
}

function counted({ done, total }: ProgressData): HowFar | null {
  return typeof done === "number" && (total ?? 0) > 1 ? { done, total: total ?? 0 } : null;
}

/** Parts that are done and, when the words name the bytes of the part under way ("12/38 MB"), its share. */
export function howFar(item: ProgressData): HowFar | null {
  const parts = counted(item);
  const bytes = /(\d+)\/(\d+) [KMG]B/.exec(item.text);
  const share = bytes ? Math.min(1, Number(bytes[1]) / Math.max(1, Number(bytes[2]))) : 0;
  if (!parts) return bytes ? { done: share, total: 1 } : null;
  return { done: Math.min(parts.total, parts.done + share), total: parts.total };
}

function StepCount({ item }: { item: ProgressData }) {
  const { t } = useTranslation();
  const parts = counted(item);
  return parts && <span className="step-time">{t("panel.parts", { ...parts })}</span>;
}

/** The words beside it are told to readers by themselves; the bar says how far. */
function StepBar({ item }: { item: ProgressData }) {
  const far = howFar(item);
  return far && <progress className="step-bar" aria-label={item.text} value={far.done} max={far.total} />;
}

function Progress({ detail }: { detail: ConversationDetail }) {
  const { t } = useTranslation();
  const items = progressOf(detail.messages, t);
  const latest = detail.messages.findLast((entry) => entry.kind === "progress")?.data.step;
  const working = ["thinking", "building", "testing"].includes(detail.state);
  if (items.length === 0)
    return (
      <p className="soft panel-waits">
        {t(`panel.waits.${detail.state}`, { defaultValue: t("panel.waits.thinking") })}
      </p>
    );
  return (
    <ol className="steps" aria-live="polite">
      {items.map((item, index) => {
        const active = working && !isDone(item) && item.step === latest;
        const failed = detail.state === "failed" && index === items.length - 1;
        return (
          <li
            key={item.step === "file" ? item.text : item.step}
            data-state={failed ? "failed" : active ? "active" : "done"}
          >
            <span className="step-mark">
              {!active && <Icon name={failed ? "cross" : "check"} size={14} />}
            </span>
            <span className="step-name">{item.text}</span>
            <StepCount item={item} />
            {active && <StepBar item={item} />}
          </li>
        );
      })}
    </ol>
  );
}

interface SectionProps {
  icon: IconName;
  title: ReactNode;
  open?: boolean;
  children: ReactNode;
}

function Section({ icon, title, open = true, children }: SectionProps) {
  return (
    <details className="panel-section" open={open}>
      <summary>
        <Icon name={icon} size={18} />
        {title}
        <Icon name="chevron" size={16} />
      </summary>
      <div className="panel-content">{children}</div>
    </details>
  );
}

function Preview({ run, brief }: { run: Run; brief: boolean }) {
  const { t } = useTranslation();
  if (!isOver(run) || !run.deliveries?.length) return null;
  return (
    <Section icon="eye" title={t("panel.preview")}>
      <p className="soft">{t("panel.previewLead")}</p>
      <Messages run={run} brief={brief} />
      <Artifacts run={run} brief={brief} />
    </Section>
  );
}

function Rehearsal({ run, entries }: { run: Run; entries: RunEntry[] }) {
  const { t } = useTranslation();
  const steps = stepsOf(entries, run);
  const over = isOver(run);
  return (
    <Section
      icon="play"
      open={!over || run.status !== "succeeded"}
      title={
        <>
          {t("panel.rehearsal")} <Badge run={{ ...run, kind: "test" }} />
        </>
      }
    >
      {run.reason && <p className="run-reason">{run.reason.text}</p>}
      <StepList steps={steps} />
      <Checks run={run} />
      <Log entries={entries} />
    </Section>
  );
}

interface Props {
  detail: ConversationDetail;
  run: Run | undefined;
  entries: RunEntry[];
  /** Little room: long things are shortened or folded. */
  brief: boolean;
}

export function BuildPanel({ detail, run, entries, brief }: Props) {
  const { t } = useTranslation();
  const nothingYet = !run && !detail.version_id && progressOf(detail.messages, t).length === 0;
  if (brief && nothingYet) return null;
  return (
    <div className="panel">
      <h2 className="panel-title">
        {t("panel.title")} <span className={`state state-${detail.state}`}>{t(`state.${detail.state}`)}</span>
      </h2>
      {run && <Preview run={run} brief={brief} />}
      <Section icon="spark" title={t("panel.progress")} open={!isOver(run)}>
        <Progress detail={detail} />
      </Section>
      {run && <Rehearsal run={run} entries={entries} />}
      {run && isOver(run) && <Writes run={run} />}
      {detail.version_id && (
        <Section icon="code" title={t("panel.files")} open={!brief || detail.state === "building"}>
          <Files versionId={detail.version_id} stamp={detail.state} />
        </Section>
      )}
    </div>
  );
}
