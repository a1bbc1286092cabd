/** The server's documents by name, from the generated types; feed entries are narrowed by their kind. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AgentCard = Schemas["AgentCard"] & { next_firings?: string[] | null };
export type AgentList = Schemas["AgentList"];
export type Artifact = Schemas["ArtifactLink"];
export type AgentFile = Schemas["AgentFile"];
export type Check = Schemas["Check"];
export type Connection = Schemas["ConnectionLine"];
export type Connections = Schemas["ConnectionList"];
export type FileDiff = Schemas["FileDiff"];
export type HostRule = Schemas["HostRule"];
export type Delivery = Schemas["Delivery"];
export type DeliveryLine = Schemas["DeliveryLine"];
export type Difference = Schemas["Difference"];
export type Exchange = Schemas["TapeItem"];
export type HostContact = Schemas["HostContact"];
export type LiveFrame = Schemas["LiveFrame"];
export type Me = Schemas["Me"];
export type Notice = Schemas["Notice"];
export type PermissionRequest = Schemas["PermissionRequest"];
export type Plan = Schemas["Plan"];
export type Practice = Schemas["PracticeState"];
export type ProblemDocument = Partial<Schemas["Problem"]>;
export type Quarantine = Schemas["Quarantine"];
export type QueuedDelivery = Schemas["QueuedDelivery"];
export type Rows = Schemas["Rows"];
export type Run = Schemas["Run"];
export type Schedule = Schemas["Schedule"];
export type StateLine = Schemas["StateLine"];
export type Template = Schemas["Template"];
export type Tokens = Schemas["Tokens"];
export type TraceBar = Schemas["TraceBar"];
export type Version = Schemas["Version"];
export type VersionDiff = Schemas["VersionDiff"];

export type Language = AgentCard["language"];
export type RunStatus = Run["status"];
export type Outcome = Run["outcome"];

export interface Question {
  id: string;
  text: string;
  /** choice · text · url · secret · datetime, or a word this page does not know: then it is a text field. */
  kind: string;
  choices?: { value: string; label: string }[] | null;
  why?: string | null;
}
/** `done` and `total` count, or `done` is a yes; `text` may be empty, then the step's name says it. */
export interface ProgressData {
  step: string;
  text: string;
  done?: boolean | number;
  total?: number | null;
  files?: string[];
  /** Of a file that was written. */
  path?: string;
  lines?: number;
}

/** The run's own document holds the whole of what stands in `rows`. */
export interface MendedSide {
  run_id: string;
  rows: Rows[];
}

/** Of a fix that is handed over: a good day's rows, today's, and what could not be tried. */
export interface Mended {
  unsure: string[];
  before?: MendedSide;
  after?: MendedSide;
}

/** `suggestions`: requests that would work instead, ready to be sent as they are. */
export interface ResultData {
  text: string;
  run_id?: string | null;
  state?: string;
  suggestions?: string[];
  mended?: Mended;
}

export type ConversationEntry = Omit<Schemas["ConversationEntry"], "kind" | "data"> &
  (
    | { kind: "text"; data: { text: string } }
    | { kind: "question"; data: { questions: Question[]; answered: Record<string, string> | null } }
    | { kind: "plan"; data: { plan_id: string } }
    | { kind: "progress"; data: ProgressData }
    | { kind: "result"; data: ResultData }
  );
export type ConversationDetail = Omit<Schemas["ConversationView"], "messages"> & {
  messages: ConversationEntry[];
};
export type Conversation = Omit<ConversationDetail, "messages" | "plan" | "test_run">;
export type ConversationState = Conversation["state"];

export type RunEntry = Omit<Schemas["RunEntry"], "kind" | "data"> &
  (
    | { kind: "status"; data: { status: string } }
    | { kind: "step"; data: { name: string } }
    | { kind: "log"; data: { stream: string; text: string } }
    | { kind: "file"; data: { artifact_id: string; name: string; size: number } }
    | { kind: "delivery"; data: { id: string; channel: string; text: string; status: string } }
    | { kind: "host"; data: { host: string; verdict: string; reason?: string | null } }
    | { kind: "check"; data: { says: string; held: boolean; text: string } }
  );
