/** The one door to the server: adds key and language, turns problem documents into errors with a sentence. */
import type { ProblemDocument } from "./shapes";

const KEY = "ab-key";

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Record<string, string>;

  constructor(document: ProblemDocument, status: number) {
    super(document.detail ?? document.title ?? "");
    this.name = "Problem";
    this.status = status;
    this.code = document.code ?? (status === 0 ? "offline" : "unknown");
    this.fields = document.fields ?? {};
  }
}

/** Session storage is not enough: a second tab must be signed in too, so the key lies in the origin's storage. */
export const key = {
  get: (): string => {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return "";
    }
  },
  set: (value: string | null): void => {
    if (value) localStorage.setItem(KEY, value);
    else localStorage.removeItem(KEY);
  },
};

export function headers(extra: Record<string, string> = {}): Record<string, string> {
  const own: Record<string, string> = { "Accept-Language": document.documentElement.lang || "ko" };
  const value = key.get();
  if (value) own["X-AB-Key"] = value;
  return { ...own, ...extra };
}

export async function problemOf(response: Response): Promise<Problem> {
  let body: ProblemDocument = {};
  if (response.headers.get("Content-Type")?.includes("json")) {
    body = await response.json().catch(() => ({}));
  }
  return new Problem(body, response.status);
}

async function answer(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "AbortError") throw reason;
    throw new Problem({}, 0);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function call<T>(
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE",
  path: string,
  body?: unknown,
): Promise<T> {
  const sends = body !== undefined;
  const response = await answer(path, {
    method,
    headers: headers({
      Accept: "application/json",
      ...(sends ? { "Content-Type": "application/json" } : {}),
      ...(method === "POST" ? { "Idempotency-Key": crypto.randomUUID() } : {}),
    }),
    body: sends ? JSON.stringify(body) : null,
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export async function readText(path: string): Promise<string> {
  const response = await answer(path, { method: "GET", headers: headers() });
  return response.text();
}
