/** For tests of screens: the providers a screen stands in, and a server that answers from a table. */
import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter, Route, Routes } from "react-router";
import { queries } from "./api/queries";
import { Toasts } from "./ui/toast";

export interface Asked {
  method: string;
  path: string;
  body: unknown;
}

/** "GET /api/v1/me" -> what is answered; a function sees what was asked. Anything else is not found. */
export type Table = Record<string, unknown>;

let table: Table = {};
const heard: Asked[] = [];

export async function answerFromTable(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const text = await request.text();
  const asked: Asked = {
    method: request.method,
    path: pathname + search,
    body: text ? JSON.parse(text) : null,
  };
  heard.push(asked);
  const found = table[`${request.method} ${pathname}`];
  if (found === undefined) return Response.json({ title: "not here", code: "not_found" }, { status: 404 });
  const body = typeof found === "function" ? (found as (asked: Asked) => unknown)(asked) : found;
  return Response.json(body, { status: request.method === "POST" ? 202 : 200 });
}

/** Shows a part of the page at an address; what it asked for is in the list that comes back. */
export function shown(part: ReactNode, answers: Table = {}): Asked[] {
  queries.clear();
  queries.setDefaultOptions({ queries: { retry: false } });
  table = answers;
  heard.length = 0;
  render(
    <QueryClientProvider client={queries}>
      <MemoryRouter>
        <Routes>
          <Route path="/runs/:id" element={<p>went to a run</p>} />
          <Route path="*" element={part} />
        </Routes>
      </MemoryRouter>
      <Toasts />
    </QueryClientProvider>,
  );
  return heard;
}

/** What was changed, without the reading. */
export const changes = (asked: readonly Asked[]): Asked[] => asked.filter(({ method }) => method !== "GET");
