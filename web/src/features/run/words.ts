/** How a run stands, in one word, one tone and one icon. */

import type { Outcome, Run, RunStatus } from "../../api/shapes";
import type { IconName } from "../../ui/icon";

export type Tone = "good" | "bad" | "wait" | "doubt" | "calm";

const UNFINISHED: ReadonlySet<RunStatus> = new Set<RunStatus>(["queued", "running", "parked"]);

export function isOver(run: Pick<Run, "status"> | undefined): boolean {
  return run !== undefined && !UNFINISHED.has(run.status);
}

/** Over, and its deliveries too: nothing about it will change any more. */
export function isSettled(run: Pick<Run, "status" | "outcome" | "kind"> | undefined): boolean {
  return isOver(run) && (run?.outcome !== "pending" || run?.kind === "test" || run?.status !== "succeeded");
}

export interface Standing {
  /** Key of the word in the catalogue. */
  word: string;
  tone: Tone;
  icon: IconName;
}

export function standing(run: { status: RunStatus; outcome?: Outcome; kind?: string }): Standing {
  if (run.status === "parked") return { word: "run.status.parked", tone: "wait", icon: "hand" };
  if (run.status === "queued") return { word: "run.status.queued", tone: "calm", icon: "clock" };
  if (run.status === "running") return { word: "run.status.running", tone: "calm", icon: "play" };
  if (run.kind === "test" && run.status === "succeeded") {
    return { word: "run.rehearsed", tone: "good", icon: "check" };
  }
  if (run.outcome === "delivered") return { word: "run.outcome.delivered", tone: "good", icon: "check" };
  if (run.outcome === "doubtful") return { word: "run.outcome.doubtful", tone: "doubt", icon: "warn" };
  if (run.outcome === "not_delivered")
    return { word: "run.outcome.not_delivered", tone: "bad", icon: "cross" };
  if (run.status === "succeeded") return { word: "run.delivering", tone: "calm", icon: "send" };
  return {
    word: `run.status.${run.status}`,
    tone: run.status === "cancelled" ? "calm" : "bad",
    icon: "cross",
  };
}
