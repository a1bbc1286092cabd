/** What is watched live: a conversation, a run, and the workspace's changes. Feeds land in the query cache. */
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Conversation, ConversationDetail, ConversationEntry, LiveFrame, Run, RunEntry } from "./shapes";
import { connectTo, follow } from "./stream";
import { type Writing, written } from "./writing";

/** Puts `entry` where its number says; the same number again replaces it. */
export function place<T extends { seq: number }>(entries: readonly T[], entry: T): T[] {
  const last = entries.at(-1);
  if (!last || last.seq < entry.seq) return [...entries, entry];
  const next = entries.filter((each) => each.seq !== entry.seq);
  next.push(entry);
  return next.sort((one, other) => one.seq - other.seq);
}

/** True while the stream is up, and for the first moments, so that nothing flashes. */
function useStream(
  path: string | null,
  after: number | undefined,
  onEvent: (name: string, data: unknown) => void,
): boolean {
  const [connected, setConnected] = useState(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stream lives as long as its path
  useEffect(() => {
    if (!path) return;
    const ending = new AbortController();
    void follow({
      connect: connectTo(path),
      after,
      signal: ending.signal,
      onEvent: ({ event, data }) => onEvent(event, data),
      onConnected: setConnected,
    });
    return () => ending.abort();
  }, [path]);
  return connected;
}

export interface ConversationFeed {
  connected: boolean;
  /** Null while the model writes nothing. */
  writing: Writing | null;
}

/** The answer being written, at most once a frame. Its end waits for the page to have drawn what the turn came to. */
function useWriting(): [Writing | null, (piece: LiveFrame) => void] {
  const [shown, setShown] = useState<Writing | null>(null);
  const [now] = useState<{ writing: Writing | null; waits: boolean }>({ writing: null, waits: false });
  const hear = (piece: LiveFrame) => {
    now.writing = written(now.writing, piece);
    if (now.waits) return;
    now.waits = true;
    const show = () => {
      now.waits = false;
      setShown(now.writing);
    };
    // A hidden page draws no frames, and must not keep an old answer for when it is looked at again.
    if (piece.done || document.hidden) setTimeout(show, 0);
    else requestAnimationFrame(show);
  };
  return [shown, hear];
}

/** Follows a conversation that is already in the cache. */
export function useConversationFeed(detail: ConversationDetail | undefined): ConversationFeed {
  const cache = useQueryClient();
  const [writing, hear] = useWriting();
  const id = detail?.id;
  const queryKey: QueryKey = ["conversation", id];
  const connected = useStream(
    id ? `/api/v1/conversations/${id}/events` : null,
    detail?.messages.at(-1)?.seq,
    (name, data) => {
      if (name === "live") hear(data as LiveFrame);
      const before = cache.getQueryData<ConversationDetail>(queryKey);
      if (!before) return;
      if (name === "entry") {
        const messages = place(before.messages, data as ConversationEntry);
        cache.setQueryData<ConversationDetail>(queryKey, { ...before, messages });
        // A question about packages stands among the open questions.
        const { kind, data: said } = data as ConversationEntry;
        if (kind === "progress" && said.step === "packages") {
          void cache.invalidateQueries({ queryKey: ["permission-requests"] });
        }
      }
      if (name === "conversation") {
        const now = data as Conversation;
        cache.setQueryData<ConversationDetail>(queryKey, { ...before, ...now });
        // Plan and rehearsal are documents of their own: asked for when another one is named.
        if (now.plan_id !== (before.plan?.id ?? null) || now.state !== before.state) {
          void cache.invalidateQueries({ queryKey });
        }
        if (now.state !== before.state) void cache.invalidateQueries({ queryKey: ["conversations"] });
      }
    },
  );
  return { connected, writing };
}

export interface RunFeed {
  entries: RunEntry[];
  connected: boolean;
}

const NO_ENTRIES: RunEntry[] = [];

/** The whole feed of a run from its first entry; entries are gathered for a frame so that logs stay smooth. */
export function useRunFeed(id: string | null | undefined): RunFeed {
  const cache = useQueryClient();
  const [feed, setFeed] = useState<{ of: string; entries: RunEntry[] }>({ of: "", entries: NO_ENTRIES });
  const [pending] = useState<{ of: string; entries: RunEntry[]; frame: number }>({
    of: "",
    entries: [],
    frame: 0,
  });

  const connected = useStream(id ? `/api/v1/runs/${id}/events` : null, undefined, (name, data) => {
    if (!id) return;
    if (name === "run") {
      const now = data as Run;
      const before = cache.getQueryData<Run>(["run", id]);
      cache.setQueryData<Run>(["run", id], now);
      if (before?.outcome !== now.outcome || before?.status !== now.status) {
        void cache.invalidateQueries({ queryKey: ["permission-requests"] });
      }
    }
    if (name === "entry") {
      if (pending.of !== id) {
        pending.of = id;
        pending.entries = [];
      }
      pending.entries.push(data as RunEntry);
      pending.frame ||= requestAnimationFrame(() => {
        pending.frame = 0;
        const arrived = pending.entries;
        pending.entries = [];
        setFeed((before) => ({ of: id, entries: merge(before.of === id ? before.entries : [], arrived) }));
      });
    }
  });
  return { entries: feed.of === id ? feed.entries : NO_ENTRIES, connected };
}

export function merge(before: RunEntry[], arrived: RunEntry[]): RunEntry[] {
  const last = before.at(-1)?.seq ?? 0;
  const ordered = arrived.every((entry, index) => entry.seq > (arrived[index - 1]?.seq ?? last));
  return ordered ? before.concat(arrived) : arrived.reduce<RunEntry[]>(place, before);
}

const TOUCHED: Record<string, (id: string) => QueryKey[]> = {
  agent: (id) => [
    ["agents"],
    ["agent", id],
    ["agent-versions", id],
    ["agent-state", id],
    ["permission-requests"],
  ],
  run: (id) => [
    ["agents"],
    ["agent"],
    ["agent-runs"],
    ["run", id],
    ["run-receipts", id],
    ["me"],
    ["permission-requests"],
  ],
  delivery: () => [["deliveries"], ["agents"], ["run-receipts"]],
  notice: () => [["notices"], ["agents"], ["permission-requests"]],
  conversation: () => [["conversations"], ["permission-requests"]],
  connection: () => [["connections"], ["me"]],
};

/** Keeps lists fresh on every screen. A burst of changes asks once. */
export function useChanges(): boolean {
  const cache = useQueryClient();
  const [waiting] = useState<{ keys: Map<string, QueryKey>; timer: ReturnType<typeof setTimeout> | null }>({
    keys: new Map(),
    timer: null,
  });
  return useStream("/api/v1/events", undefined, (name, data) => {
    if (name !== "change") return;
    const change = data as { kind: string; id: string };
    for (const queryKey of TOUCHED[change.kind]?.(change.id) ?? []) {
      waiting.keys.set(JSON.stringify(queryKey), queryKey);
    }
    waiting.timer ??= setTimeout(() => {
      waiting.timer = null;
      for (const queryKey of waiting.keys.values()) void cache.invalidateQueries({ queryKey });
      waiting.keys.clear();
    }, 150);
  });
}
