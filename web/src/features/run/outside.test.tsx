import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { queries } from "../../api/queries";
import { changes, shown } from "../../test-page";
import { addressParts, Outside, tapeWords } from "./outside";
import { Replay, Replayed, replayable } from "./replay";
import { RUN_ID, rehearsal, sampleRun } from "./sample-run";
import { standing } from "./words";
import { readable, Sent, Writes, writesOf } from "./writes";

const TAPE = {
  at: "2026-11-22T20:00:02Z",
  expires_at: "2026-12-22T20:00:02Z",
  kept: "full",
  complete: true,
  items: [
    {
      n: 1,
      method: "GET",
      url: "https://shop.example.com/new?page=1",
      status: 200,
      verdict: "sent",
      bytes_in: 8200,
      bytes_out: 210,
      content_type: "text/html",
      reason: "",
      request_text: null,
      answer_text: "<h1>머그 2개</h1>",
    },
    {
      n: 2,
      method: "POST",
      url: "https://ads.example.net/collect",
      status: 403,
      verdict: "refused",
      bytes_in: 0,
      bytes_out: 0,
      content_type: "",
      reason: "undeclared_host",
      request_text: null,
      answer_text: null,
    },
  ],
};
const version = (id: string, number: number | null) => ({ id, number, status: "ready", created_at: "" });

test("the tape is asked for only when somebody opens it, and shows every exchange", async () => {
  shown(<Outside run={sampleRun()} />, { [`GET /api/v1/runs/${RUN_ID}/tape`]: TAPE });
  expect(queries.getQueryState(["run-tape", RUN_ID])?.fetchStatus).toBe("idle");
  await userEvent.click(screen.getByText("하나씩 보기"));
  expect(await screen.findByText("<h1>머그 2개</h1>")).toBeTruthy();
  expect(screen.getByText("허락하지 않은 곳이에요.")).toBeTruthy();
  const rows = screen.getAllByRole("listitem").filter((row) => row.className === "exchange");
  expect(rows.map((row) => row.querySelector("summary")?.textContent)).toEqual([
    "GETshop.example.com/new?page=12008.2kB",
    "POSTads.example.net/collect막음0바이트",
  ]);
});

test("one sentence says what was kept of a run", () => {
  const soon = Date.parse("2026-11-25T00:00:00Z");
  const late = Date.parse("2026-12-25T00:00:00Z");
  expect(tapeWords(sampleRun(), soon)).toBe("tape.full");
  expect(tapeWords(sampleRun(), late)).toBe("tape.gone");
  expect(tapeWords(sampleRun({ tape: "headers" }), soon)).toBe("tape.headers");
  expect(tapeWords(sampleRun({ tape: "off" }), late)).toBe("tape.off");
  expect(tapeWords(sampleRun({ status: "running" }), soon)).toBeNull();
});

test("a run whose contents were not kept offers neither to look nor to replay", () => {
  const run = sampleRun({ tape: "off" });
  shown(
    <>
      <Outside run={run} />
      <Replay run={run} />
    </>,
  );
  expect(screen.getByText("주고받은 내용을 남기지 않는 에이전트예요.")).toBeTruthy();
  expect(screen.queryByText("하나씩 보기")).toBeNull();
  expect(screen.queryByRole("button", { name: "다시 재생하기" })).toBeNull();
});

test("a replay runs on the version that was chosen", async () => {
  const asked = shown(<Replay run={sampleRun()} />, {
    "GET /api/v1/agents/agent_1/versions": { items: [version("ver_2", 2), version("ver_1", 1)] },
    [`POST /api/v1/runs/${RUN_ID}/replay`]: { id: "run_again" },
  });
  await userEvent.selectOptions(await screen.findByLabelText("어느 버전으로"), "버전 2");
  await userEvent.click(screen.getByRole("button", { name: "다시 재생하기" }));
  expect(await screen.findByText("went to a run")).toBeTruthy();
  expect(changes(asked).map(({ path, body }) => [path, body])).toEqual([
    [`/api/v1/runs/${RUN_ID}/replay`, { version: "ver_2" }],
  ]);
});

test("the run's own version stands first, drafts of others are left out", () => {
  const versions = [version("ver_3", null), version("ver_2", 2), version("ver_1", null)] as never[];
  expect(replayable(versions, "ver_1").map((each: { id: string }) => each.id)).toEqual(["ver_1", "ver_2"]);
});

test("a replay is marked as one, and says that it was the same", () => {
  const run = sampleRun({ kind: "replay", outcome: "pending", replay_of: "run_first", same: true });
  shown(<Replayed run={run} />);
  expect(screen.getByText("재생: 바깥에 아무것도 보내지 않았어요")).toBeTruthy();
  expect(screen.getByText("똑같았어요")).toBeTruthy();
  expect(screen.getByRole("link", { name: /처음 실행/ }).getAttribute("href")).toBe("/runs/run_first");
  expect(standing(run).tone).toBe("good");
});

test("a replay never says that it contacted anybody", () => {
  shown(<Outside run={sampleRun({ kind: "replay", replay_of: "run_first", same: true })} />);
  expect(screen.getByText(/^다시 들려줌/)).toBeTruthy();
  expect(screen.queryByText(/연락함/)).toBeNull();
  expect(screen.getByText(/^막음/)).toBeTruthy();
});

test("what a replay did differently stands beside what it was", () => {
  const text = "보고서의 글이 달라요.";
  const differences = [
    { kind: "delivery" as const, name: "inbox", text, before: "머그 2개", after: "머그 3개" },
  ];
  const run = sampleRun({ kind: "replay", outcome: "pending", replay_of: "r", same: false, differences });
  shown(<Replayed run={run} />);
  expect(screen.getByRole("heading", { name: `보고서 ${text}` })).toBeTruthy();
  expect(screen.getByRole("group", { name: "그때" }).textContent).toBe("머그 2개");
  expect(screen.getByRole("group", { name: "이번" }).textContent).toBe("머그 3개");
  expect(screen.queryByText("똑같았어요")).toBeNull();
  expect(standing(run).tone).toBe("doubt");
});

test("a replay that was not compared is not called the same", () => {
  shown(<Replayed run={sampleRun({ kind: "replay", replay_of: "run_first" })} />);
  expect(screen.getByText("이번에는 견주어 보지 못했어요.")).toBeTruthy();
  expect(screen.queryByText("똑같았어요")).toBeNull();
});

test("nothing is sent before the person has seen exactly what goes where", async () => {
  const asked = shown(<Writes run={rehearsal()} />, {
    [`POST /api/v1/runs/${RUN_ID}/writes/5f0c9b1f/decision`]: { id: "run_sent" },
  });
  await userEvent.click(screen.getByRole("button", { name: "이것만 실제로 보내기" }));
  const dialog = within(screen.getByRole("dialog", { hidden: true }));
  expect(dialog.getByText(/^api\.example\.com에 아래 내용이 그대로, 딱 한 번 나가요/)).toBeTruthy();
  expect(dialog.getByText("POST")).toBeTruthy();
  expect(dialog.getByText(/"item": "머그"/)).toBeTruthy();
  expect(asked).toEqual([]);
  await userEvent.click(dialog.getByRole("button", { name: "한 번 보내기", hidden: true }));
  expect(await screen.findByText("went to a run")).toBeTruthy();
  expect(changes(asked).map(({ path, body }) => [path, body])).toEqual([
    [`/api/v1/runs/${RUN_ID}/writes/5f0c9b1f/decision`, { decision: "send" }],
  ]);
});

test("saying no to sending sends nothing", async () => {
  const asked = shown(<Writes run={rehearsal()} />);
  await userEvent.click(screen.getByRole("button", { name: "이것만 실제로 보내기" }));
  await userEvent.click(screen.getByRole("button", { name: "그만두기", hidden: true }));
  expect(screen.queryByRole("dialog", { hidden: true })).toBeNull();
  expect(asked).toEqual([]);
});

test("a write without a name of its own can only be looked at", () => {
  shown(
    <Writes run={rehearsal({ would_send: [{ method: "PUT", url: "https://a.example/x", body: "" }] })} />,
  );
  expect(screen.getByText("a.example")).toBeTruthy();
  expect(screen.queryByRole("button")).toBeNull();
});

test("a run cut off after writing lists what had left", () => {
  const url = "https://api.example.com/orders";
  const writes = [{ at: "2026-11-22T20:00:01Z", method: "POST", url }];
  const reason = { code: "wrote_then_lost", text: "끊겼어요." };
  shown(<Sent run={sampleRun({ status: "failed", outcome: "not_delivered", reason, writes })} />);
  expect(screen.getByRole("heading", { name: "끊기기 전에 이미 나간 것" })).toBeTruthy();
  expect(screen.getByRole("listitem").textContent).toContain("POSTapi.example.com/orders");
});

test.each([
  ["running", "지금 나가는 것 1건"],
  ["parked", "실제로 나간 것 1건"],
  ["succeeded", "실제로 나간 것 1건"],
] as const)("a write of a run that is %s is called so", (status, title) => {
  const writes = [{ at: "2026-11-22T20:00:01Z", method: "POST", url: "https://api.example.com/orders" }];
  shown(<Sent run={sampleRun({ status, writes })} />);
  expect(screen.getByRole("heading", { name: title })).toBeTruthy();
});

test("a write that was let through and not made is said not to have gone out", () => {
  shown(<Sent run={rehearsal({ allowed_writes: ["5f0c9b1f"] })} />);
  expect(screen.getByText(/아무것도 나가지 않았어요/)).toBeTruthy();
});

test("bodies and addresses are shown whole", () => {
  expect(readable('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(readable("{not json")).toBe("{not json");
  expect(addressParts("https://a.example:8443/b?c#d")).toEqual({ host: "a.example:8443", rest: "/b?c#d" });
  expect(addressParts("https://a.example")).toEqual({ host: "a.example", rest: "/" });
  expect(writesOf(rehearsal()).map(({ id, method }) => [id, method])).toEqual([["5f0c9b1f", "POST"]]);
});

test("a decoy that tripped is an alarm, not an ordinary failure", () => {
  const run = { status: "failed", outcome: "not_delivered", reason: { code: "decoy" } };
  expect(standing(run)).toEqual({ word: "run.alarm", tone: "bad", icon: "warn" });
});
