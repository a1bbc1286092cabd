import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { PermissionRequest } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { PackageQuestions, PermissionCard, placeOf } from "./parked";

const ask = (change: Partial<PermissionRequest> = {}): PermissionRequest => ({
  id: "ask_1",
  workspace_id: "w",
  run_id: "run_1",
  agent_id: "agent_1",
  kind: "host",
  version_id: "ver_1",
  packages: [],
  reasons: [],
  status: "open",
  sentence: "허락하지 않은 곳에 접속하려고 했어요.",
  warning: "",
  scheme: "https",
  host: "api.example.com",
  port: 8443,
  method: "POST",
  path: "/orders",
  at: "2026-11-22T20:00:00Z",
  ...change,
});
const packages = ask({
  kind: "package",
  run_id: "",
  host: "",
  port: 0,
  method: "",
  path: "",
  sentence: "처음 보는 준비물이 있어요.",
  packages: ["reqeusts==1.0.0", "leftpad==2.1"],
  reasons: ["requests와 이름이 헷갈려요.", "나온 지 이틀 됐어요."],
});
const DECISION = "POST /api/v1/permission-requests/ask_1/decision";

test("a place is asked for with everything the yes will cover", async () => {
  const asked = shown(<PermissionCard asked={ask()} />, { [DECISION]: { id: "ask_1" } });
  expect(screen.getByText("https://api.example.com:8443/orders")).toBeTruthy();
  expect(screen.getByText("그곳의 내용을 바꿀 수 있어요")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "허용하기" }));
  expect(await screen.findByText("허용했어요. 이어서 실행해요.")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ decision: "allow" }]);
});

test("an address that came from something read is warned of", () => {
  shown(<PermissionCard asked={ask({ warning: "이 주소는 읽은 글 속에 있던 것이에요." })} />);
  expect(screen.getByText("이 주소는 읽은 글 속에 있던 것이에요.").closest(".note-bad")).toBeTruthy();
});

test("a single write is asked for as sending once", async () => {
  const asked = shown(<PermissionCard asked={ask({ kind: "write" })} />, { [DECISION]: { id: "ask_1" } });
  await userEvent.click(screen.getByRole("button", { name: "보내지 않기" }));
  expect(await screen.findByText("보내지 않았어요.")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ decision: "deny" }]);
});

test("each package stands with the reason why it is asked about, where it is being built", async () => {
  const asked = shown(<PackageQuestions agentId="agent_1" versionId="ver_1" />, {
    "GET /api/v1/permission-requests": { items: [packages, ask({ id: "ask_2" })] },
    [DECISION]: { id: "ask_1" },
  });
  expect(await screen.findByText("reqeusts 1.0.0")).toBeTruthy();
  expect(screen.getByText("requests와 이름이 헷갈려요.")).toBeTruthy();
  expect(screen.getByText("나온 지 이틀 됐어요.")).toBeTruthy();
  expect(screen.getAllByRole("heading")).toHaveLength(1);
  await userEvent.click(screen.getByRole("button", { name: "써도 돼요" }));
  expect(await screen.findByText("준비물을 갖추고 이어서 만들어요.")).toBeTruthy();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ decision: "allow" }]);
});

test("another version's packages are not asked about here", async () => {
  const asked = shown(<PackageQuestions agentId="agent_1" versionId="ver_9" />, {
    "GET /api/v1/permission-requests": { items: [packages] },
  });
  await expect.poll(() => asked.length).toBe(1);
  expect(screen.queryByRole("button")).toBeNull();
});

test("a place is one address; a usual port is left out", () => {
  expect(placeOf(ask({ port: 443 }))).toBe("https://api.example.com/orders");
  expect(placeOf(ask({ scheme: "http", port: 80, path: "" }))).toBe("http://api.example.com");
  expect(placeOf(ask({ scheme: "", port: 443, path: "" }))).toBe("api.example.com");
});

test("a question that is over is said and cannot be answered", () => {
  shown(<PermissionCard asked={undefined} otherwise="이미 답했어요." />);
  expect(screen.getByText("이미 답했어요.")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});
