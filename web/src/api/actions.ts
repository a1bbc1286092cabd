/** Everything the page asks the server to do, as plain functions. */
import { answer, api, key } from "./client";
import type { components } from "./schema";
import type { Check, Language, Me, Practice, Schedule } from "./shapes";

/** What is left out keeps its value or default; the generated types would have everything named. */
const some = <T>(body: Partial<T>): T => body as T;

const on = (id: string) => ({ params: { path: { id } } });

export async function openSession(secret: string): Promise<Me> {
  const opened = await answer(api.POST("/api/v1/session", { body: { secret } }));
  key.set(opened.key);
  return opened.me;
}

export const startConversation = (text: string, language: Language) =>
  answer(
    api.POST("/api/v1/conversations", {
      body: some<components["schemas"]["FirstMessage"]>({
        text,
        language,
        timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "Asia/Seoul",
      }),
    }),
  );

export const say = (id: string, said: { text?: string; answers?: Record<string, string> }) =>
  answer(api.POST("/api/v1/conversations/{id}/messages", { ...on(id), body: some(said) }));

export const stopConversation = (id: string) => answer(api.POST("/api/v1/conversations/{id}/stop", on(id)));

/** `secrets`: what was typed, by name; left out when nothing is asked for. */
export const approvePlan = (id: string, manifestHash: string, secrets: Record<string, string>) =>
  answer(
    api.POST("/api/v1/plans/{id}/decision", {
      ...on(id),
      body: { decision: "approve", manifest_hash: manifestHash, secrets },
    }),
  );

/** What is left out stays. The plan stands under a new hash a moment later. */
export const changePlan = (
  id: string,
  change: { schedule?: Schedule | null; caps?: { per_run: number; per_day: number }; contract?: Check[] },
) => answer(api.PATCH("/api/v1/plans/{id}", { ...on(id), body: some(change) }));

/** `key` null: the one that is there is tried with another model. */
export const connectClaude = (key: string | null, model: string | null) =>
  answer(api.PUT("/api/v1/connections/claude", { body: { key, model } }));

export const disconnectClaude = () => answer(api.DELETE("/api/v1/connections/claude"));

export const changeAgent = (
  id: string,
  change: {
    enabled?: boolean;
    version?: string;
    name?: string;
    schedule?: Schedule | null;
    repairs_go_live?: boolean;
  },
) => answer(api.PATCH("/api/v1/agents/{id}", { ...on(id), body: some(change) }));

export const startRun = (agentId: string) =>
  answer(api.POST("/api/v1/agents/{id}/runs", { ...on(agentId), body: some({}) }));

export const cancelRun = (id: string) => answer(api.POST("/api/v1/runs/{id}/cancel", on(id)));

/** Runs it again on what was kept of it: nothing leaves. The new run's id. */
export const repairRun = (id: string) => answer(api.POST("/api/v1/runs/{id}/repair", on(id)));

export const replayRun = (id: string, version: string | null) =>
  answer(api.POST("/api/v1/runs/{id}/replay", { ...on(id), body: { version } }));

/** Lets exactly this one write of a rehearsal through, once, in a new rehearsal. The new run's id. */
export const sendWrite = (runId: string, writeId: string) =>
  answer(
    api.POST("/api/v1/runs/{id}/writes/{write_id}/decision", {
      params: { path: { id: runId, write_id: writeId } },
      body: { decision: "send" },
    }),
  );

/** A new version of the memory with what was in an older one; nothing is lost. */
export const rewindState = (agentId: string, number: number) =>
  answer(api.POST("/api/v1/agents/{id}/state/rewind", { ...on(agentId), body: { number } }));

/** A person's yes after something went wrong; it does not switch the agent on. */
export const liftQuarantine = (agentId: string) =>
  // The generated type has no word for a field whose only value is null.
  answer(api.PATCH("/api/v1/agents/{id}", { ...on(agentId), body: { quarantine: null } as never }));

/** Agents, secrets and everything that was kept of runs; `confirm` is what the person typed. */
export const deleteWorkspace = (confirm: string) =>
  answer(api.DELETE("/api/v1/workspace", { body: { confirm } }));

export const decidePermission = (id: string, decision: "allow" | "deny") =>
  answer(api.POST("/api/v1/permission-requests/{id}/decision", { ...on(id), body: { decision } }));

export const setPractice = (change: Partial<Practice>) =>
  answer(api.PATCH("/api/v1/practice", { body: some(change) }));

export const resendDelivery = (id: string) => answer(api.POST("/api/v1/deliveries/{id}/resend", on(id)));

export const markDeliveryRead = (id: string) => answer(api.POST("/api/v1/deliveries/{id}/read", on(id)));

export const markNoticeRead = (id: string) => answer(api.POST("/api/v1/notices/{id}/read", on(id)));
