/** How a run stands, in one word, one tone and one icon. */

import type { QueuedDelivery, Run, RunStatus } from "../../api/shapes";
import type { IconName } from "../../ui/icon";

export type Tone = "good" | "bad" | "wait" | "doubt" | "calm";

const UNFINISHED: ReadonlySet<RunStatus> = new Set<RunStatus>(["queued", "running", "parked"]);

export function isOver(run: Pick<Run, "status"> | undefined): boolean {
  return run !== undefined && !UNFINISHED.has(run.status);
}

/** Over, and its deliveries too: nothing about it will change any more. */
export function isSettled(run: Pick<Run, "status" | "outcome" | "kind"> | undefined): boolean {
  const sendsNothing = run?.kind === "test" || run?.kind === "replay";
  return isOver(run) && (run?.outcome !== "pending" || sendsNothing || run?.status !== "succeeded");
}

export interface Standing {
  /** Key of the word in the catalogue. */
  word: string;
  tone: Tone;
  icon: IconName;
}

/** The beginning of a report without its heading and its Markdown signs. */
export function gist(text: string): string {
  const plain = text
    .replace(/^#.*$/gm, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^[-*>|]+ ?|[*_`|]+/gm, "")
    .trim();
  return (plain.split(/\n\s*\n/)[0] ?? "").replace(/\s+/g, " ").slice(0, 160);
}

/** Ways of ending that stopped the whole agent, not only this run: a decoy was seen leaving. */
const ALARMS = new Set(["decoy", "decoy_tripped", "quarantine", "quarantined"]);

export function isAlarm(run: Pick<Run, "reason"> | undefined): boolean {
  return ALARMS.has(run?.reason?.code ?? "");
}

interface Ended {
  status: string;
  reason?: { code: string } | null;
  same?: boolean | null;
  outcome?: string;
  kind?: string;
  deliveries?: Pick<QueuedDelivery, "status">[];
}

export function standing(run: Ended): Standing {
  if (run.status === "parked") return { word: "run.status.parked", tone: "wait", icon: "hand" };
  if (run.status === "queued") return { word: "run.status.queued", tone: "calm", icon: "clock" };
  if (run.status === "running") return { word: "run.status.running", tone: "calm", icon: "play" };
  if (ALARMS.has(run.reason?.code ?? "")) return { word: "run.alarm", tone: "bad", icon: "warn" };
  if (run.kind === "replay" && run.same != null) {
    return run.same
      ? { word: "run.replayedSame", tone: "good", icon: "check" }
      : { word: "run.replayedDiffers", tone: "doubt", icon: "refresh" };
  }
  if (run.kind === "replay" && run.status === "succeeded") {
    return { word: "run.replayed", tone: "calm", icon: "refresh" };
  }
  if (run.kind === "test" && run.status === "succeeded") {
    return { word: "run.rehearsed", tone: "good", icon: "check" };
  }
  if (run.outcome === "delivered") return { word: "run.outcome.delivered", tone: "good", icon: "check" };
  const held = run.deliveries?.some((delivery) => delivery.status === "held");
  if (run.outcome === "doubtful" && held) return { word: "run.outcome.held", tone: "bad", icon: "cross" };
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
