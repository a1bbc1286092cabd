/** Everything the page asks the server to do, as plain functions. */
import { call, key } from "./client";
import type { Language, Me, Practice, Schedule } from "./shapes";

const api = "/api/v1";

export async function openSession(secret: string): Promise<Me> {
  const opened = await call<{ key: string; me: Me }>("POST", `${api}/session`, { secret });
  key.set(opened.key);
  return opened.me;
}

export async function closeSession(): Promise<void> {
  await call("DELETE", `${api}/session`);
  key.set(null);
}

export const startConversation = (text: string, language: Language, agentId?: string) =>
  call<{ id: string }>("POST", `${api}/conversations`, {
    text,
    language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "Asia/Seoul",
    ...(agentId ? { agent_id: agentId } : {}),
  });

export const say = (id: string, said: { text?: string; answers?: Record<string, string> }) =>
  call<{ id: string }>("POST", `${api}/conversations/${id}/messages`, said);

export const stopConversation = (id: string) => call("POST", `${api}/conversations/${id}/stop`, {});

export const decidePlan = (
  id: string,
  decision: "approve" | "reject",
  manifestHash: string,
  secrets: Record<string, string> = {},
) =>
  call<{ agent_id: string; grant_id: string }>("POST", `${api}/plans/${id}/decision`, {
    decision,
    manifest_hash: manifestHash,
    ...(Object.keys(secrets).length > 0 ? { secrets } : {}),
  });

export const changeAgent = (
  id: string,
  change: { enabled?: boolean; version?: string; name?: string; schedule?: Schedule | null },
) => call("PATCH", `${api}/agents/${id}`, change);

export const deleteAgent = (id: string) => call("DELETE", `${api}/agents/${id}`);

export const startRun = (agentId: string) =>
  call<{ id: string }>("POST", `${api}/agents/${agentId}/runs`, {});

export const cancelRun = (id: string) => call("POST", `${api}/runs/${id}/cancel`, {});

export const decidePermission = (id: string, decision: "allow" | "deny") =>
  call("POST", `${api}/permission-requests/${id}/decision`, { decision });

export const setPractice = (change: Partial<Practice>) => call<Practice>("PATCH", `${api}/practice`, change);

export const resendDelivery = (id: string) => call("POST", `${api}/deliveries/${id}/resend`, {});

export const markDeliveryRead = (id: string) => call("POST", `${api}/deliveries/${id}/read`, {});

export const markNoticeRead = (id: string) => call("POST", `${api}/notices/${id}/read`, {});
