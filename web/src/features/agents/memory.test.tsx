import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { AgentCard, StateLine } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { samplePlan } from "../permission/sample-plan";
import { AgentCard as Card } from "./agent-card";
import Memory from "./memory";
import { QuarantineBanner } from "./quarantine";

const agent: AgentCard = {
  id: "agent_1",
  workspace_id: "w",
  name: "새 상품 알림",
  summary: "세 가게의 새 상품",
  language: "ko",
  enabled: false,
  conversation_id: "conv_1",
  version_id: "ver_1",
  version_number: 1,
  shown_version_id: "ver_1",
  grant_id: "grant_1",
  repairs_go_live: false,
  quarantine: null,
  agent_file: samplePlan().agent_file,
  created_at: "2026-11-22T20:00:00Z",
  updated_at: "2026-11-22T20:00:00Z",
  deleted_at: null,
  schedule_words: "매일 09:00 · 서울",
  next_at: null,
  next_firings: [],
  last_run: null,
  waiting: [],
  tokens_month: 0,
};
const quarantine = {
  at: "2026-11-22T21:00:00Z",
  run_id: "run_bad",
  text: "미끼 비밀 값을 밖으로 보내려고 했어요.",
};

const state = (number: number, change: Partial<StateLine> = {}): StateLine => ({
  number,
  run_id: `run_${number}`,
  at: `2026-11-2${number}T00:00:00Z`,
  size: 120 * number,
  current: false,
  rewound_from: null,
  standing: "promoted",
  ...change,
});
const STATES = "GET /api/v1/agents/agent_1/state/versions";
const REWIND = "POST /api/v1/agents/agent_1/state/rewind";
const list = (...items: StateLine[]) => ({ items, rewinding: null, problem: "" });

test("what is remembered stands newest first, the one in use is marked", async () => {
  shown(<Memory agent={agent} />, { [STATES]: list(state(1), state(2, { current: true })) });
  const rows = await screen.findAllByRole("listitem");
  expect(rows.map((row) => row.querySelector("strong")?.textContent)).toEqual(["기억 2", "기억 1"]);
  expect(within(rows[0] as HTMLElement).getByText("지금 쓰는 기억")).toBeTruthy();
  expect(within(rows[0] as HTMLElement).queryByRole("button")).toBeNull();
});

test("memory goes back after a yes, and back again by the toast", async () => {
  const asked = shown(<Memory agent={agent} />, {
    [STATES]: list(state(1), state(2, { current: true })),
    [REWIND]: (each: { body: { number: number } }) => ({ id: "rewind_1", number: each.body.number }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "이때로 되돌리기 (기억 1)" }));
  expect(screen.getByText("기억 1로 되돌릴까요?")).toBeTruthy();
  expect(changes(asked)).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "이때로 되돌리기", hidden: true }));
  await userEvent.click(await screen.findByRole("button", { name: "되돌리기" }));
  expect(await screen.findByText("기억 2로 다시 돌아왔어요")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ number: 1 }, { number: 2 }]);
});

test("what broke its conditions can be looked at and not gone back to", async () => {
  const broken = state(2, { standing: "candidate" });
  shown(<Memory agent={agent} />, { [STATES]: list(state(1, { current: true }), broken) });
  expect(await screen.findByText("살펴보려고 남겨 둠")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "이때로 되돌리기 (기억 2)" })).toBeNull();
});

test("a way back that is under way, or came to nothing, is said", async () => {
  const problem = "그때의 기억은 더 이상 남아 있지 않아요.";
  shown(<Memory agent={agent} />, {
    [STATES]: { ...list(state(1), state(3, { current: true, rewound_from: 1 })), rewinding: 1, problem },
  });
  expect((await screen.findByRole("alert")).textContent).toBe(problem);
  expect(screen.getByText(/기억 1로 되돌리는 중/).getAttribute("role")).toBe("status");
  expect(screen.getByText(/기억 1을 다시 가져옴/)).toBeTruthy();
});

test("a stopped agent may be switched on only after a person's explicit yes", async () => {
  const asked = shown(<QuarantineBanner agent={{ ...agent, quarantine }} quarantine={quarantine} />, {
    "PATCH /api/v1/agents/agent_1": agent,
  });
  expect(screen.getByText(quarantine.text)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "다시 켜도 괜찮아요" }));
  const dialog = within(screen.getByRole("dialog", { hidden: true }));
  expect(asked).toEqual([]);
  await userEvent.click(dialog.getByRole("button", { name: "다시 켜도 괜찮아요", hidden: true }));
  expect(await screen.findByText("이제 다시 켤 수 있어요")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ quarantine: null }]);
});

test("the switch of a stopped agent does nothing", async () => {
  const waiting = [{ kind: "quarantine", about: "agent_1", text: "격리했어요." }];
  shown(<Card agent={{ ...agent, quarantine, waiting }} />, { "GET /api/v1/deliveries": { items: [] } });
  expect(screen.queryByText("격리했어요.")).toBeNull();
  expect(screen.getByRole<HTMLButtonElement>("switch").disabled).toBe(true);
  expect(screen.getByText("위험해 보이는 일이 있어서 멈춰 두었어요.")).toBeTruthy();
});
