import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { AgentCard, ConversationDetail } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { sampleRun } from "../run/sample-run";
import { Activity } from "./activity";

const detail = {
  id: "conv_1",
  state: "ready",
  agent_id: "agent_1",
  version_id: "ver_2",
  timezone: "Asia/Seoul",
  plan: null,
} as unknown as ConversationDetail;
const broken = sampleRun({ id: "run_broken", outcome: "not_delivered", version_id: "ver_1" });
const served = (agent: Partial<AgentCard>) => ({
  "GET /api/v1/agents/agent_1": { id: "agent_1", enabled: true, agent_file: null, ...agent },
  "GET /api/v1/agents/agent_1/runs": { items: [broken], next: null },
  "PATCH /api/v1/agents/agent_1": {},
  "POST /api/v1/agents/agent_1/runs": { id: "run_new" },
});
const activity = <Activity detail={detail} rehearsal={sampleRun({ kind: "test" })} onStart={() => {}} />;

test("a mended version waits for the person while the one before it goes on", async () => {
  const asked = shown(activity, served({ version_id: "ver_1", version_number: 1 }));

  expect(await screen.findByText("새 버전이 준비됐어요. 켤까요?")).toBeTruthy();
  expect(screen.getByText(/지금은 버전 1이 그대로 일하고 있어요/)).toBeTruthy();
  expect(screen.queryByText(/켰어요/)).toBeNull();
  expect(screen.queryByText("이번 실행")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "켜기" }));
  expect(changes(asked).map(({ method, body }) => [method, body])).toEqual([
    ["PATCH", { enabled: true }],
    ["POST", {}],
  ]);
  expect(await screen.findByText(/켰어요/)).toBeTruthy();
});

test("the version that works already asks nothing", async () => {
  shown(activity, served({ version_id: "ver_2", version_number: 2 }));

  expect(await screen.findByText(/켰어요/)).toBeTruthy();
  expect(screen.queryByRole("button", { name: "켜기" })).toBeNull();
});
