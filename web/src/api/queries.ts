/** Everything the page reads, by name: one hook per resource. What changes is told by the change stream. */
import { QueryCache, QueryClient, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { call, Problem, readText } from "./client";
import type {
  AgentCard,
  Artifact,
  ConversationDetail,
  ConversationLine,
  Delivery,
  Me,
  Notice,
  Page,
  PermissionRequest,
  Run,
  StateVersion,
  Template,
  Version,
} from "./shapes";

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

const api = "/api/v1";

export const useMe = () => useQuery({ queryKey: ["me"], queryFn: () => call<Me>("GET", `${api}/me`) });

export const useTemplates = () =>
  useQuery({
    queryKey: ["templates"],
    queryFn: () => call<Page<Template>>("GET", `${api}/templates`),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useConversations = () =>
  useQuery({
    queryKey: ["conversations"],
    queryFn: () => call<Page<ConversationLine>>("GET", `${api}/conversations?limit=30`),
  });

export const readConversation = (id: string) => call<ConversationDetail>("GET", `${api}/conversations/${id}`);
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

export interface AgentList extends Page<AgentCard> {
  waiting: number;
}
export const useAgents = () =>
  useQuery({ queryKey: ["agents"], queryFn: () => call<AgentList>("GET", `${api}/agents?limit=200`) });

export const useAgent = (id: string | null | undefined) =>
  useQuery({
    queryKey: ["agent", id],
    queryFn: () => call<AgentCard>("GET", `${api}/agents/${id}`),
    enabled: Boolean(id),
  });

/** Pages of an agent's runs, newest first. */
export const useAgentRuns = (id: string | null | undefined, limit = 20) =>
  useInfiniteQuery({
    queryKey: ["agent-runs", id, limit],
    queryFn: ({ pageParam }) =>
      call<Page<Run>>(
        "GET",
        `${api}/agents/${id}/runs?limit=${limit}${pageParam ? `&cursor=${pageParam}` : ""}`,
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    enabled: Boolean(id),
  });

export const useAgentVersions = (id: string) =>
  useQuery({
    queryKey: ["agent-versions", id],
    queryFn: () => call<Page<Version>>("GET", `${api}/agents/${id}/versions`),
  });

export const useStateVersions = (id: string) =>
  useQuery({
    queryKey: ["agent-state", id],
    queryFn: () => call<Page<StateVersion>>("GET", `${api}/agents/${id}/state/versions`),
  });

export const readRun = (id: string) => call<Run>("GET", `${api}/runs/${id}`);
export const useRun = (id: string | null | undefined) =>
  useQuery({ queryKey: ["run", id], queryFn: () => readRun(id ?? ""), enabled: Boolean(id) });

/** Asked again when the run has ended or a file was reported: `stamp` says so. */
export const useArtifacts = (runId: string | null | undefined, stamp: string) =>
  useQuery({
    queryKey: ["run-artifacts", runId, stamp],
    queryFn: () => call<Page<Artifact>>("GET", `${api}/runs/${runId}/artifacts`),
    enabled: Boolean(runId),
    placeholderData: (before) => before,
  });

export const useReceipts = (runId: string, stamp: string) =>
  useQuery({
    queryKey: ["run-receipts", runId, stamp],
    queryFn: () => call<Page<Delivery>>("GET", `${api}/runs/${runId}/receipts`),
    placeholderData: (before) => before,
  });

export const useVersionFiles = (versionId: string | null, stamp: string) =>
  useQuery({
    queryKey: ["version-files", versionId, stamp],
    queryFn: () => call<Page<{ name: string; size: number }>>("GET", `${api}/versions/${versionId}/files`),
    enabled: Boolean(versionId),
    placeholderData: (before) => before,
  });

export const useVersionFile = (versionId: string, name: string | null) =>
  useQuery({
    queryKey: ["version-file", versionId, name],
    queryFn: () => readText(`${api}/versions/${versionId}/files/${encodeURIComponent(name ?? "")}`),
    enabled: name !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const usePermissionRequests = () =>
  useQuery({
    queryKey: ["permission-requests"],
    queryFn: () => call<Page<PermissionRequest>>("GET", `${api}/permission-requests?status=open`),
  });

export const useInbox = () =>
  useQuery({
    queryKey: ["deliveries", "inbox"],
    queryFn: () => call<Page<Delivery>>("GET", `${api}/deliveries?channel=inbox&limit=30`),
  });

export const useNotices = () =>
  useQuery({ queryKey: ["notices"], queryFn: () => call<Page<Notice>>("GET", `${api}/notices`) });
