/** What the server's documents look like: the part of them that this page reads. Times are ISO texts in UTC. */

export type Language = "ko" | "en";

export interface HostRule {
  host: string;
  port: number;
  scheme: "https" | "http";
  path: string;
  methods: string[];
  effect: "read" | "write";
  why: string;
}
export interface SecretUse {
  name: string;
  host: string;
  why: string;
}
export interface Channel {
  kind: "inbox" | "slack" | "email";
  secret: string | null;
  to: string | null;
  why: string;
}
export interface Manifest {
  hosts: HostRule[];
  secrets: SecretUse[];
  channels: Channel[];
  state: boolean;
  tokens: { per_run: number; per_day: number };
  limits: { wall_s: number; memory_mb: number; disk_mb: number; processes: number };
}
export interface Schedule {
  cron: string;
  timezone: string;
  missed: "skip" | "once" | "all";
  overlap: "skip" | "queue" | "replace";
  holidays: string | null;
  on_holiday: "run" | "skip" | "next_workday" | null;
  until: string | null;
  pause_until: string | null;
}
export interface Check {
  check: string;
  says: string;
}
export interface AgentFile {
  agent: { name: string; summary: string; language: Language; packages: string[] };
  schedule: Schedule | null;
  manifest: Manifest;
  contract: Check[];
}

export type ConversationState =
  | "thinking"
  | "asking"
  | "proposed"
  | "building"
  | "testing"
  | "ready"
  | "active"
  | "stopped"
  | "failed";

export interface Tokens {
  input: number;
  output: number;
  cost_usd_micros: number;
}
export interface Conversation {
  id: string;
  title: string;
  language: Language;
  timezone: string;
  state: ConversationState;
  engine: "recipes" | "claude";
  agent_id: string | null;
  plan_id: string | null;
  version_id: string | null;
  test_run_id: string | null;
  problem: string | null;
  tokens: Tokens;
  created_at: string;
  updated_at: string;
}
export interface Choice {
  value: string;
  label: string;
}
export interface Question {
  id: string;
  text: string;
  /** choice · text · datetime, or a word this page does not know: then it is a text field. */
  kind: string;
  choices?: Choice[] | null;
  why?: string | null;
}
interface EntryHead {
  id: string;
  conversation_id: string;
  seq: number;
  author: "person" | "builder";
  at: string;
}
export interface ProgressData {
  step: string;
  text: string;
  done: boolean | number;
  total?: number | null;
}
export type ConversationEntry = EntryHead &
  (
    | { kind: "text"; data: { text: string } }
    | { kind: "question"; data: { questions: Question[]; answered: Record<string, string> | null } }
    | { kind: "plan"; data: { plan_id: string } }
    | { kind: "progress"; data: ProgressData }
    | { kind: "result"; data: { text: string; run_id?: string | null; state?: string } }
  );

export interface Plan {
  id: string;
  conversation_id: string;
  agent_id: string;
  version_id: string;
  status: "proposed" | "approved" | "rejected" | "superseded";
  agent_file: AgentFile;
  manifest_hash: string;
  summary: string;
  steps: string[];
  packages: { name: string; why: string }[];
  schedule_words: string | null;
  next_firings: string[];
  estimate: {
    seconds_per_run: number;
    tokens_per_run: number;
    tokens_build: number;
    cost_usd_micros_per_month: number;
  };
  found: string[];
  wont: string[];
  author_words: string | null;
  findings: string[];
  new_rows: string[] | null;
  created_at: string;
}
export type ConversationDetail = Conversation & {
  messages: ConversationEntry[];
  plan: Plan | null;
  test_run: Run | null;
};
export interface ConversationLine {
  id: string;
  title: string;
  state: ConversationState;
  agent_id: string | null;
  updated_at: string;
}

export type RunKind = "test" | "manual" | "scheduled" | "triggered" | "replay";
export type RunStatus =
  | "queued"
  | "running"
  | "parked"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "timed_out"
  | "refused";
export type Outcome = "pending" | "delivered" | "doubtful" | "not_delivered";

export interface QueuedDelivery {
  id: string;
  channel: string;
  text: string;
  files: string[];
  status: "shown" | "held" | "requested" | "sent" | "failed" | "unknown";
  detail: string;
}
export interface HostContact {
  host: string;
  verdict: string;
  requests: number;
  bytes_in: number;
  bytes_out: number;
}
export interface Run {
  id: string;
  agent_id: string;
  version_id?: string;
  kind?: RunKind;
  status: RunStatus;
  outcome?: Outcome;
  reason?: { code: string; text: string } | null;
  conversation_id?: string | null;
  slot_at?: string | null;
  attempt?: number;
  checks?: { check: string; says: string; held: boolean; text: string }[];
  deliveries?: QueuedDelivery[];
  would_send?: Record<string, unknown>[];
  hosts?: HostContact[];
  usage?: {
    wall_ms: number;
    cpu_ms: number;
    memory_peak_bytes: number;
    input_tokens: number;
    output_tokens: number;
    cost_usd_micros: number;
  };
  state_base?: number | null;
  state_new?: number | null;
  permission_request_id?: string | null;
  last_step?: string | null;
  requested_at?: string;
  started_at?: string | null;
  finished_at?: string | null;
  settled_at?: string | null;
}
interface RunEntryHead {
  id: string;
  run_id: string;
  attempt: number;
  seq: number;
  at: string;
}
export type RunEntry = RunEntryHead &
  (
    | { kind: "status"; data: { status: string; reason?: { code: string; text: string } | string | null } }
    | { kind: "step"; data: { name: string } }
    | { kind: "log"; data: { stream: string; text: string } }
    | { kind: "file"; data: { artifact_id: string; name: string; size: number } }
    | { kind: "delivery"; data: { id: string; channel: string; text: string; status: string } }
    | { kind: "host"; data: { host: string; verdict: string; reason?: string | null } }
    | { kind: "check"; data: { says: string; held: boolean; text: string } }
  );
export interface Artifact {
  id: string;
  run_id: string;
  name: string;
  size: number;
  media_type: string;
  url: string;
}
export interface Delivery {
  id: string;
  run_id: string;
  agent_id: string;
  agent_name?: string;
  channel: "inbox" | "slack" | "email";
  title: string;
  text: string;
  files: string[];
  status: "requested" | "sending" | "sent" | "failed" | "unknown";
  detail: string;
  receipt: Record<string, string>;
  read_at: string | null;
  at: string;
  settled_at: string | null;
}
export interface PermissionRequest {
  id: string;
  run_id: string;
  agent_id: string;
  status: "open" | "allowed" | "denied" | "expired";
  sentence: string;
  host: string;
  method: string;
  path: string;
  at: string;
}
export interface LastRun {
  id: string;
  kind: RunKind;
  status: RunStatus;
  outcome: Outcome;
  finished_at: string | null;
  text: string | null;
}
export interface AgentCard {
  id: string;
  name: string;
  summary: string;
  language: Language;
  enabled: boolean;
  conversation_id: string;
  version_id: string | null;
  version_number: number | null;
  shown_version_id: string | null;
  agent_file: AgentFile;
  created_at: string;
  updated_at: string;
  schedule_words: string | null;
  next_at: string | null;
  next_firings?: string[] | null;
  last_run: LastRun | null;
  tokens_month: number;
  waiting: { kind: string; text: string; about: string }[];
}
export interface Version {
  id: string;
  status: "candidate" | "promoted" | "failed";
  number: number | null;
  manifest_hash: string;
  files: string[];
  created_at: string;
}
export interface StateVersion {
  id: string;
  number: number;
  run_id: string;
  size: number;
  at: string;
}
export interface Notice {
  id: string;
  kind: string;
  agent_id: string | null;
  about: string;
  text: string;
  needs_decision: boolean;
  at: string;
  read_at: string | null;
}
export interface Template {
  id: string;
  title: Record<Language, string>;
  text: Record<Language, string>;
  icon: string;
}
export interface Me {
  user: { id: string; name: string };
  workspace: { id: string; name: string };
  language: Language;
  timezone: string;
  engine: "recipes" | "claude";
  sandbox: { backend: string; ok: boolean; missing: Record<string, string>; cure?: string | null };
  practice: Practice;
  month: { spent_tokens: number; cap_tokens: number; spent_usd_micros: number };
}
export interface Practice {
  day: number;
  broken: boolean;
}
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
export interface ProblemDocument {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  fields?: Record<string, string>;
}
