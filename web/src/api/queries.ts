/** Everything the page reads, by name: one hook per resource. What changes is told by the change stream. */
import { QueryCache, QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { answer, api, Problem } from "./client";
import type { AgentCard, ConversationDetail, Run } from "./shapes";

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (problem, query) => {
      // The session has ended: the door asks again and shows how to get in.
      const ended = problem instanceof Problem && problem.status === 401;
      if (ended && query.queryKey[0] !== "me") void queries.invalidateQueries({ queryKey: ["me"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (failures, problem) =>
        failures < 3 && !(problem instanceof Problem && problem.status >= 400 && problem.status < 500),
    },
  },
});

export const useMe = () => useQuery({ queryKey: ["me"], queryFn: () => answer(api.GET("/api/v1/me")) });

export const useConnections = () =>
  useQuery({
    queryKey: ["connections"],
    queryFn: () => answer(api.GET("/api/v1/connections")),
    refetchInterval: (query) => (query.state.data?.items[0]?.state === "testing" ? 1500 : false),
  });

export const useTemplates = () =>
  useQuery({
    queryKey: ["templates"],
    queryFn: () => answer(api.GET("/api/v1/templates")),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useConversations = () =>
  useQuery({
    queryKey: ["conversations"],
    queryFn: () => answer(api.GET("/api/v1/conversations", { params: { query: { limit: 30 } } })),
  });

async function readConversation(id: string): Promise<ConversationDetail> {
  const read = await answer(api.GET("/api/v1/conversations/{id}", { params: { path: { id } } }));
  return read as ConversationDetail; // entries are narrowed by kind
}

/** An answer may be older than what the stream has brought meanwhile; then the stream's part stays. */
export function newest(fresh: ConversationDetail, known: ConversationDetail | undefined): ConversationDetail {
  if (!known) return fresh;
  const last = fresh.messages.at(-1)?.seq ?? 0;
  const messages = [...fresh.messages, ...known.messages.filter((entry) => entry.seq > last)];
  const older = fresh.updated_at < known.updated_at;
  return { ...(older ? { ...fresh, state: known.state, updated_at: known.updated_at } : fresh), messages };
}

export const useConversation = (id: string) =>
  useQuery({
    queryKey: ["conversation", id],
    queryFn: async () =>
      newest(await readConversation(id), queries.getQueryData<ConversationDetail>(["conversation", id])),
  });

export const useAgents = () =>
  useQuery({ queryKey: ["agents"], queryFn: () => answer(api.GET("/api/v1/agents")) });

export const useAgent = (id: string | null | undefined) =>
  useQuery({
    queryKey: ["agent", id],
    queryFn: (): Promise<AgentCard> =>
      answer(api.GET("/api/v1/agents/{id}", { params: { path: { id: id ?? "" } } })),
    enabled: Boolean(id),
  });

/** Pages of an agent's runs, newest first. */
export const useAgentRuns = (id: string | null | undefined, limit = 20) =>
  useInfiniteQuery({
    queryKey: ["agent-runs", id, limit],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/api/v1/agents/{id}/runs", {
          params: { path: { id: id ?? "" }, query: { limit, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: Boolean(id),
  });

export const useAgentVersions = (id: string) =>
  useQuery({
    queryKey: ["agent-versions", id],
    queryFn: () => answer(api.GET("/api/v1/agents/{id}/versions", { params: { path: { id } } })),
  });

/** How version `newer` differs from `older`, by their numbers. */
export const useVersionDiff = (agentId: string, older: number, newer: number) =>
  useQuery({
    queryKey: ["version-diff", agentId, older, newer],
    queryFn: () =>
      answer(
        api.GET("/api/v1/agents/{id}/versions/{n}/diff/{m}", {
          params: { path: { id: agentId, n: older, m: newer } },
        }),
      ),
    enabled: older !== newer,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useStateVersions = (id: string) =>
  useQuery({
    queryKey: ["agent-state", id],
    queryFn: () => answer(api.GET("/api/v1/agents/{id}/state/versions", { params: { path: { id } } })),
    refetchInterval: (query) => (query.state.data?.rewinding == null ? false : 700),
  });

function howFar(run: Run): number {
  const stage = run.settled_at
    ? 4
    : run.finished_at
      ? 3
      : run.status === "parked"
        ? 2
        : run.started_at
          ? 1
          : 0;
  return run.attempt * 10 + stage;
}

/** A run only goes forward: an answer that is behind what the stream has told was overtaken by it. */
export function furthest(fresh: Run, known: Run | undefined): Run {
  return known && howFar(known) > howFar(fresh) ? known : fresh;
}

export const useRun = (id: string | null | undefined) =>
  useQuery({
    queryKey: ["run", id],
    queryFn: async () => {
      const read = await answer(api.GET("/api/v1/runs/{id}", { params: { path: { id: id ?? "" } } }));
      return furthest(read, queries.getQueryData<Run>(["run", id]));
    },
    enabled: Boolean(id),
  });

/** Asked again when the run has ended or a file was reported: `stamp` says so. */
export const useArtifacts = (runId: string, stamp: string) =>
  useQuery({
    queryKey: ["run-artifacts", runId, stamp],
    queryFn: () => answer(api.GET("/api/v1/runs/{id}/artifacts", { params: { path: { id: runId } } })),
    refetchInterval: 8 * 60_000, // the addresses in it hold for ten minutes
    placeholderData: (before) => before,
  });

export const useReceipts = (runId: string, stamp: string) =>
  useQuery({
    queryKey: ["run-receipts", runId, stamp],
    queryFn: () => answer(api.GET("/api/v1/runs/{id}/receipts", { params: { path: { id: runId } } })),
    placeholderData: (before) => before,
  });

/** What took how long in a run. stamp: changes when something of the run has ended. */
export const useTrace = (runId: string, stamp: string) =>
  useQuery({
    queryKey: ["run-trace", runId, stamp],
    queryFn: () => answer(api.GET("/api/v1/runs/{id}/trace", { params: { path: { id: runId } } })),
    placeholderData: (before) => before,
  });

/** Every exchange of a run with the outside, in order; asked for only when somebody looks. */
export const useTape = (runId: string, wanted: boolean) =>
  useQuery({
    queryKey: ["run-tape", runId],
    queryFn: () => answer(api.GET("/api/v1/runs/{id}/tape", { params: { path: { id: runId } } })),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useVersionFiles = (versionId: string, stamp: string) =>
  useQuery({
    queryKey: ["version-files", versionId, stamp],
    queryFn: () => answer(api.GET("/api/v1/versions/{id}/files", { params: { path: { id: versionId } } })),
    placeholderData: (before) => before,
  });

export const useVersionFile = (versionId: string, name: string | null) =>
  useQuery({
    queryKey: ["version-file", versionId, name],
    queryFn: async (): Promise<string> => {
      const path = { id: versionId, name: name ?? "" };
      const options = { params: { path }, parseAs: "text" as const };
      return String(await answer(api.GET("/api/v1/versions/{id}/files/{name}", options)));
    },
    enabled: name !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const usePermissionRequests = () =>
  useQuery({
    queryKey: ["permission-requests"],
    queryFn: () => answer(api.GET("/api/v1/permission-requests", { params: { query: { status: "open" } } })),
  });

export const useInbox = () =>
  useQuery({
    queryKey: ["deliveries", "inbox"],
    queryFn: () =>
      answer(api.GET("/api/v1/deliveries", { params: { query: { channel: "inbox", limit: 30 } } })),
  });

export const useNotices = () =>
  useQuery({ queryKey: ["notices"], queryFn: () => answer(api.GET("/api/v1/notices")) });
