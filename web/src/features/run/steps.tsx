import { useTranslation } from "react-i18next";
import type { Run, RunEntry } from "../../api/shapes";
import { Icon } from "../../ui/icon";
import { duration } from "../../ui/time";
import { isOver } from "./words";

export interface Step {
  key: string;
  name: string;
  from: number;
  to: number | null;
  failed: boolean;
}

/** Steps of the last attempt; each lasts until the next begins or the run ends. */
export function stepsOf(entries: readonly RunEntry[], run: Run | undefined): Step[] {
  const attempt = entries.at(-1)?.attempt ?? 1;
  const steps: Step[] = [];
  for (const entry of entries) {
    if (entry.kind !== "step" || entry.attempt !== attempt) continue;
    const before = steps.at(-1);
    if (before) before.to = Date.parse(entry.at);
    steps.push({ key: entry.id, name: entry.data.name, from: Date.parse(entry.at), to: null, failed: false });
  }
  const last = steps.at(-1);
  if (last && isOver(run)) {
    last.to = run?.finished_at ? Date.parse(run.finished_at) : last.from;
    last.failed = run?.status !== "succeeded" && run?.status !== "cancelled";
  }
  return steps;
}

export function StepList({ steps }: { steps: Step[] }) {
  const { i18n } = useTranslation();
  return (
    <ol className="steps">
      {steps.map((step) => (
        <li key={step.key} data-state={step.failed ? "failed" : step.to === null ? "active" : "done"}>
          <span className="step-mark">
            {step.to !== null && <Icon name={step.failed ? "cross" : "check"} size={14} />}
          </span>
          <span className="step-name">{step.name}</span>
          {step.to !== null && (
            <span className="step-time">{duration(step.to - step.from, i18n.language)}</span>
          )}
        </li>
      ))}
    </ol>
  );
}
