import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { AgentCard, Version, VersionDiff } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { Differences, Versions } from "./versions";

const version = (number: number): Version =>
  ({
    id: `ver_${number}`,
    number,
    status: "promoted",
    prompt: number === 2 ? "abcdef0123456789" : "",
    created_at: "2026-11-22T20:00:00Z",
  }) as Version;
const agent = { id: "agent_1", version_id: "ver_2", version_number: 2 } as AgentCard;
const diff = (change: Partial<VersionDiff["differences"]>): VersionDiff => ({
  older: { id: "ver_1", number: 1, prompt: "", created_at: "2026-11-22T20:00:00Z" },
  newer: { id: "ver_2", number: 2, prompt: "", created_at: "2026-11-22T20:00:00Z" },
  differences: {
    files: [],
    more_files: 0,
    packages: [],
    permissions: [],
    schedule: null,
    contract: { weaker: [], stronger: [] },
    ...change,
  },
});

test("one press goes back to an older version, and one takes it back", async () => {
  const asked = shown(<Versions agent={agent} />, {
    "GET /api/v1/agents/agent_1/versions": { items: [version(2), version(1)] },
    "GET /api/v1/agents/agent_1/versions/1/diff/2": diff({}),
    "PATCH /api/v1/agents/agent_1": agent,
  });
  const back = await screen.findAllByRole("button", { name: "이 버전으로 되돌리기" });
  expect(back).toHaveLength(1);
  await userEvent.click(back[0] as HTMLElement);
  expect(await screen.findByText("버전 1로 되돌렸어요")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "되돌리기" }));
  expect(changes(asked).map(({ body }) => body)).toEqual([{ version: "ver_1" }, { version: "ver_2" }]);
  expect(screen.getByText("Claude가 썼어요 · 지시문 abcdef012345")).toBeTruthy();
});

test("differences are sentences with their sign, code is lines", () => {
  const file = {
    name: "main.py",
    change: "changed" as const,
    added: 1,
    removed: 1,
    unified: "@@ -1 +1 @@\n-print(1)\n+print(2)",
    cut: false,
  };
  shown(
    <Differences
      diff={diff({
        files: [file],
        permissions: [{ change: "added", text: "shop.example.com 읽기" }],
        schedule: { before: [], after: ["매일 09:00 · 서울"] },
        contract: { weaker: ["다섯 줄이 아니어도 돼요"], stronger: [] },
      })}
    />,
  );
  expect(screen.getByText("shop.example.com 읽기").closest("li")?.dataset.change).toBe("added");
  expect(screen.getByText("직접 실행할 때만").closest("li")?.dataset.change).toBe("removed");
  expect(screen.getByText("다섯 줄이 아니어도 돼요").closest("li")?.dataset.change).toBe("removed");
  expect(screen.getByText("+print(2)").dataset.sign).toBe("+");
});

test("equal versions say so", () => {
  shown(<Differences diff={diff({})} />);
  expect(screen.getByText("달라진 것이 없어요.")).toBeTruthy();
});

test("that repairs go live by themselves is off until it is set, with what that means", async () => {
  const asked = shown(<Versions agent={{ ...agent, repairs_go_live: false }} />, {
    "GET /api/v1/agents/agent_1/versions": { items: [version(2)] },
    "PATCH /api/v1/agents/agent_1": agent,
  });
  const toggle = await screen.findByRole("switch", { name: "고친 버전을 스스로 켜기" });
  expect(toggle.getAttribute("aria-checked")).toBe("false");
  expect(screen.getByText(/확인하지 못한 것이 하나라도 있으면 여쭤봐요/)).toBeTruthy();
  await userEvent.click(toggle);
  expect(changes(asked).map(({ body }) => body)).toEqual([{ repairs_go_live: true }]);
});

test("a newer version is switched on, not gone back to, and what a plan left behind is not listed", async () => {
  const candidate = { ...version(0), id: "ver_0", number: null, status: "candidate" } as Version;
  const asked = shown(<Versions agent={{ ...agent, version_id: "ver_1", version_number: 1 }} />, {
    "GET /api/v1/agents/agent_1/versions": { items: [version(2), version(1), candidate] },
    "GET /api/v1/agents/agent_1/versions/1/diff/2": diff({}),
    "PATCH /api/v1/agents/agent_1": agent,
  });

  await userEvent.click(await screen.findByRole("button", { name: "이 버전 켜기" }));

  expect(await screen.findByText("버전 2를 켰어요")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ version: "ver_2" }]);
  expect(screen.queryByRole("button", { name: "이 버전으로 되돌리기" })).toBeNull();
  expect(screen.queryByText("연습 중인 버전")).toBeNull();
});
