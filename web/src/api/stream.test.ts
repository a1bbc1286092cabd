import { expect, test } from "vitest";
import { follow, type StreamEvent } from "./stream";

function body(text: string): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        // Cut in the middle of a Korean letter, as networks do.
        const bytes = new TextEncoder().encode(text);
        controller.enqueue(bytes.slice(0, 27));
        controller.enqueue(bytes.slice(27));
        controller.close();
      },
    }),
    { headers: { "Content-Type": "text/event-stream" } },
  );
}

const entry = (seq: number, text: string) =>
  `id: ${seq}\nevent: entry\ndata: {"seq":${seq},"text":"${text}"}\n\n`;

test("resumes after the last id seen when the connection is cut", async () => {
  const ending = new AbortController();
  const asked: string[] = [];
  const seen: StreamEvent[] = [];
  const connected: boolean[] = [];
  await follow({
    connect: async (last) => {
      asked.push(last);
      if (asked.length === 1) return body(entry(1, "가나다") + entry(2, "라"));
      return body(entry(3, "마"));
    },
    signal: ending.signal,
    onEvent: (event) => {
      seen.push(event);
      if (seen.length === 3) ending.abort();
    },
    onConnected: (is) => connected.push(is),
  });
  expect(asked).toEqual(["", "2"]);
  expect(seen.map((event) => (event.data as { text: string }).text)).toEqual(["가나다", "라", "마"]);
  expect(connected).toEqual([true, false, true]);
});

test("gives up when the server says there is nothing to follow", async () => {
  let asked = 0;
  await follow({
    connect: async () => {
      asked += 1;
      return new Response("", { status: 404 });
    },
    signal: new AbortController().signal,
    onEvent: () => undefined,
    onConnected: () => undefined,
  });
  expect(asked).toBe(1);
});

test("skips an unreadable event and goes on", async () => {
  const ending = new AbortController();
  const seen: unknown[] = [];
  await follow({
    connect: async () => body(`event: entry\ndata: {broken\n\n${entry(1, "살아 있음")}`),
    signal: ending.signal,
    onEvent: ({ data }) => {
      seen.push(data);
      ending.abort();
    },
    onConnected: () => undefined,
  });
  expect(seen).toEqual([{ seq: 1, text: "살아 있음" }]);
});
