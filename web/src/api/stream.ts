/** Server-sent events over fetch, so that the key travels in a header; resumes after a cut by the last id seen. */
import { createParser } from "eventsource-parser";
import { headers } from "./client";

/** Opens the stream after the id seen last ("" from the beginning). */
export type Connect = (last: string, signal: AbortSignal) => Promise<Response>;

export const connectTo =
  (path: string): Connect =>
  (last, signal) =>
    fetch(path, {
      credentials: "same-origin",
      headers: headers({ Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) }),
      signal,
    });

export interface StreamEvent {
  event: string;
  data: unknown;
}
export interface StreamOptions {
  connect: Connect;
  /** Resume after this id; undefined starts at the beginning. */
  after?: number | undefined;
  signal: AbortSignal;
  onEvent: (event: StreamEvent) => void;
  onConnected: (connected: boolean) => void;
}

const QUIET_MS = 40_000; // the server pings every 15 s

/** Returns when aborted, or when the server says that nothing is there (4xx). */
export async function follow({ connect, after, signal, onEvent, onConnected }: StreamOptions): Promise<void> {
  let last = after === undefined ? "" : String(after);
  let failures = 0;
  while (!signal.aborted) {
    try {
      const ended = await readOnce(
        connect,
        last,
        signal,
        (id, event) => {
          failures = 0;
          if (id) last = id;
          onEvent(event);
        },
        () => onConnected(true),
      );
      if (ended === "refused") return;
    } catch {
      // A cut is ordinary: the loop connects again.
    }
    if (signal.aborted) return;
    onConnected(false);
    failures += 1;
    await pause(Math.min(8000, 300 * 2 ** failures), signal);
  }
}

async function readOnce(
  connect: Connect,
  last: string,
  signal: AbortSignal,
  onEvent: (id: string, event: StreamEvent) => void,
  onOpen: () => void,
): Promise<"cut" | "refused"> {
  const quiet = new AbortController();
  let timer = setTimeout(() => quiet.abort(), QUIET_MS);
  try {
    const response = await connect(last, AbortSignal.any([signal, quiet.signal]));
    if (response.status >= 400 && response.status < 500 && response.status !== 429) return "refused";
    if (!response.ok || !response.body) return "cut";
    onOpen();
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        try {
          onEvent(id ?? "", { event: event ?? "message", data: JSON.parse(data) });
        } catch {
          // One unreadable event must not end the stream.
        }
      },
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "cut";
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), QUIET_MS);
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
