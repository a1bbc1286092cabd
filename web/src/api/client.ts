/** The one door to the server: adds key and language, turns problem documents into errors with a sentence. */
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { ProblemDocument } from "./shapes";

const KEY = "ab-key";

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: Record<string, string>;

  constructor(document: ProblemDocument | null, status: number) {
    super(document?.detail ?? document?.title ?? "");
    this.name = "Problem";
    this.status = status;
    this.code = document?.code ?? (status === 0 ? "offline" : "unknown");
    this.fields = (document?.fields as Record<string, string> | null | undefined) ?? {};
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

/** The generated client; use it through `answer`. */
export const api = createClient<paths>({ baseUrl: location.origin });
api.use({
  onRequest: ({ request }) => {
    for (const [name, value] of Object.entries(headers())) request.headers.set(name, value);
    if (request.method === "POST") request.headers.set("Idempotency-Key", crypto.randomUUID());
    return request;
  },
  onError: ({ error }) =>
    error instanceof DOMException && error.name === "AbortError" ? undefined : new Problem({}, 0),
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body. Throws Problem, with status 0 when the server could not be reached. */
export async function answer<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok)
    throw new Problem(typeof error === "object" ? (error as ProblemDocument) : {}, response.status);
  return data as T;
}
