/** Runs for tests: a rehearsal that would have posted an order, a replay, one that was cut off. */
import type { Run } from "../../api/shapes";

export const RUN_ID = "run_019ab3";

export function sampleRun(change: Partial<Run> = {}): Run {
  return {
    id: RUN_ID,
    workspace_id: "ws_1",
    agent_id: "agent_1",
    version_id: "ver_1",
    kind: "manual",
    status: "succeeded",
    outcome: "delivered",
    reason: null,
    conversation_id: "conv_1",
    grant_id: "grant_1",
    slot_at: null,
    input: null,
    lease_id: null,
    attempt: 1,
    attempt_id: "att_1",
    wrote: false,
    checks: [],
    deliveries: [],
    would_send: [],
    writes: [],
    allowed_writes: [],
    hosts: [
      { host: "shop.example.com", verdict: "sent", requests: 2, bytes_in: 8275, bytes_out: 310 },
      { host: "ads.example.net", verdict: "refused", requests: 1, bytes_in: 0, bytes_out: 0 },
    ],
    requests: [],
    usage: {
      wall_ms: 900,
      cpu_ms: 400,
      memory_peak_bytes: 31_000_000,
      input_tokens: 0,
      output_tokens: 0,
      cost_usd_micros: 0,
      priced: true,
    },
    state_base: null,
    state_new: null,
    permission_request_id: null,
    last_step: null,
    requested_at: "2026-11-22T20:00:00Z",
    deadline_at: "2026-11-22T20:15:00Z",
    place: null,
    traceparent: "",
    funded_at: "2026-11-22T20:00:00Z",
    begun_at: "2026-11-22T20:00:00Z",
    started_at: "2026-11-22T20:00:01Z",
    first_line_at: "2026-11-22T20:00:01Z",
    ended_at: "2026-11-22T20:00:02Z",
    finished_at: "2026-11-22T20:00:02Z",
    settled_at: "2026-11-22T20:00:03Z",
    tape: "full",
    replay_of: null,
    variation: "",
    beside: null,
    sample: [],
    same: null,
    differences: [],
    ...change,
  };
}

export const rehearsal = (change: Partial<Run> = {}): Run =>
  sampleRun({
    kind: "test",
    outcome: "pending",
    grant_id: null,
    would_send: [
      {
        id: "5f0c9b1f",
        method: "POST",
        url: "https://api.example.com/orders?store=7",
        body: '{"item":"머그","count":2}',
      },
    ],
    ...change,
  });
