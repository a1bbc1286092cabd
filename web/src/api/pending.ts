/** TEMPORARY: shapes and routes that are not yet in schema.d.ts. Gone once the generated types have them. */
import { headers, Problem } from "./client";

export interface Exchange {
  n: number;
  method: string;
  url: string;
  status: number;
  verdict: string;
  bytes_in: number;
  bytes_out: number;
  content_type: string;
  request_text?: string | null;
  answer_text?: string | null;
}

/** One request outside the generated types. */
export async function asked<T>(method: string, path: string, body?: unknown): Promise<T> {
  const extra: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  if (method === "POST") extra["Idempotency-Key"] = crypto.randomUUID();
  const response = await fetch(path, {
    method,
    headers: headers(extra),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new Problem({}, 0);
  });
  const said = (await response.json().catch(() => ({}))) as T;
  if (!response.ok) throw new Problem(said as never, response.status);
  return said;
}
