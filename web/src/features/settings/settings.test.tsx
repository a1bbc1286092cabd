import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Me } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { EndOfWorkspace } from "./end-of-workspace";
import { limitsOf, Machine } from "./settings-page";

type Sandbox = Me["sandbox"];
const sandbox = (change: Partial<Sandbox> = {}): Sandbox => ({
  backend: "bubblewrap",
  ok: true,
  missing: {},
  cure: null,
  note: null,
  enforced: ["wall", "cpu", "memory", "processes", "disk", "inodes", "files", "output"],
  corpus: { held: 106, total: 106, at: "2026-11-22T20:00:00Z" },
  ...change,
});

test("everything is deleted only after the workspace's name was typed", async () => {
  const asked = shown(<EndOfWorkspace name="꽃집" />, { "DELETE /api/v1/workspace": { id: "w" } });
  await userEvent.click(screen.getByRole("button", { name: "모두 지우기" }));
  const dialog = within(screen.getByRole("dialog", { hidden: true }));
  const yes = dialog.getByRole<HTMLButtonElement>("button", { name: "모두 지우기", hidden: true });
  await userEvent.type(dialog.getByLabelText("확인을 위해 ‘꽃집’ 그대로 적어 주세요."), "꽃");
  expect(yes.disabled).toBe(true);
  await userEvent.type(dialog.getByRole("textbox", { hidden: true }), "집");
  await userEvent.click(yes);
  expect(await screen.findByText("모두 지웠어요")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ confirm: "꽃집" }]);
});

test("a machine that keeps every limit says so, and how many attacks it stopped", () => {
  shown(<Machine sandbox={sandbox()} />);
  expect(screen.getByText("에이전트를 안전하게 가두어 실행해요")).toBeTruthy();
  expect(screen.getByText("106가지 공격 가운데 106가지를 막았어요")).toBeTruthy();
  expect(screen.getByText("한도를 모두 지켜요. 넘으면 그 실행만 멈춰요.")).toBeTruthy();
});

test("what cannot be kept stands first, with its reason", () => {
  const why = "no cgroup may be written here";
  const enforced = ["wall", "cpu", "processes"];
  const found = limitsOf(sandbox({ enforced, missing: { memory: why, inodes: why } }));
  expect(found.map(({ name, held }) => `${name} ${held}`)).toEqual([
    "memory false",
    "inodes false",
    "wall true",
    "cpu true",
    "processes true",
  ]);
  shown(<Machine sandbox={sandbox({ enforced, missing: { memory: why } })} />);
  const [first] = screen.getAllByRole("listitem");
  expect(first?.textContent).toContain("끝까지 지키지 못해요: 메모리를 정해진 만큼만 써요");
  expect(within(first as HTMLElement).getByText(why)).toBeTruthy();
});

test("what is only watched from outside does not count as fully kept", () => {
  const missing = { memory: "measured every 50 ms instead" };
  expect(limitsOf(sandbox({ missing })).filter(({ held }) => !held)).toEqual([
    { name: "memory", held: false, why: missing.memory },
  ]);
});

test("attacks that were never tried are said to be untried, with the way to do it", () => {
  shown(<Machine sandbox={sandbox({ corpus: null })} />);
  expect(screen.getByText("이 컴퓨터에서는 아직 시험해 보지 않았어요.")).toBeTruthy();
  expect(screen.getByText("make doctor")).toBeTruthy();
});

test("an attack that got out is not made to look well", () => {
  shown(<Machine sandbox={sandbox({ corpus: { held: 105, total: 106, at: "2026-11-22T20:00:00Z" } })} />);
  expect(screen.getByText("빠져나간 것이 있어서 이 방법으로는 실행하지 않아요.")).toBeTruthy();
  expect(screen.queryByText("빠져나간 것이 하나도 없어요.")).toBeNull();
});

test("a machine that cannot shut agents in shows the one command that mends it", () => {
  const missing = { all: "namespaces are denied" };
  const cure = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
  shown(<Machine sandbox={sandbox({ ok: false, enforced: [], missing, cure, corpus: null })} />);
  expect(screen.getByText("지금은 에이전트를 실행하지 않아요")).toBeTruthy();
  expect(screen.getByText(cure)).toBeTruthy();
});
