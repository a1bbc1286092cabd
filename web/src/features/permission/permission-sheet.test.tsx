import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Plan } from "../../api/shapes";
import { PermissionSheet } from "./permission-sheet";
import { samplePlan } from "./sample-plan";

function shown(plan: Plan) {
  const done: string[] = [];
  render(
    <PermissionSheet
      plan={plan}
      onDone={() => done.push("allowed")}
      onChange={() => done.push("change")}
      onLater={() => done.push("later")}
    />,
  );
  return done;
}

const group = (title: string) => {
  const section = screen.getByRole("heading", { name: title, hidden: true }).closest("section");
  if (!section) throw new Error(`no group ${title}`);
  return within(section);
};

test("reading stands apart from sending", () => {
  shown(samplePlan());
  expect(group("읽을 수 있어요").getByText("shop.example.com")).toBeTruthy();
  expect(group("읽을 수 있어요").queryByText(/api\.example\.com\/orders/)).toBeNull();
  expect(group("보낼 수 있어요").getByText("api.example.com/orders")).toBeTruthy();
  expect(group("보낼 수 있어요").getByText("슬랙")).toBeTruthy();
});

test("places on one host are one row with every path", () => {
  shown(samplePlan());
  expect(group("읽을 수 있어요").getAllByText("shop.example.com")).toHaveLength(1);
  for (const path of ["/a", "/b"]) expect(group("읽을 수 있어요").getByText(path)).toBeTruthy();
});

test("an exact place and what is kept of a run are said before the yes", () => {
  const plan = samplePlan();
  const [first, ...others] = plan.agent_file.manifest.hosts;
  if (first) plan.agent_file.manifest.hosts = [{ ...first, exact: true }, ...others];
  plan.agent_file.manifest.tape = "headers";
  shown(plan);
  expect(group("읽을 수 있어요").getByText("/a (이 주소만)")).toBeTruthy();
  expect(group("기억할 수 있어요").getByText("주고받은 주소와 크기만 30일 동안 남겨 둬요")).toBeTruthy();
});

test("allowing waits until every secret is typed into a field that hides it", async () => {
  shown(samplePlan());
  const allow = screen.getByRole<HTMLButtonElement>("button", { name: "허용하기", hidden: true });
  expect(allow.disabled).toBe(true);
  for (const name of ["API_KEY", "SLACK_WEBHOOK_URL"]) {
    const field = screen.getByLabelText<HTMLInputElement>(name);
    expect(field.type).toBe("password");
    await userEvent.type(field, "value");
  }
  expect(allow.disabled).toBe(false);
});

test("what the reviewer found is shown as an alarm", () => {
  shown(samplePlan({ findings: ["코드가 ads.example.net에도 연락해요."] }));
  expect(screen.getByRole("alert", { hidden: true }).textContent).toContain("ads.example.net");
});

test("only rows that are new since the last yes are marked", () => {
  shown(samplePlan({ new_rows: ["api.example.com"] }));
  expect(screen.getAllByText("새로 생김")).toHaveLength(1);
});

test("nothing is decided by changing or by waiting", async () => {
  const done = shown(samplePlan());
  await userEvent.click(screen.getByRole("button", { name: "바꾸기", hidden: true }));
  await userEvent.click(screen.getByRole("button", { name: "나중에", hidden: true }));
  expect(done).toEqual(["change", "later"]);
});

test("what a reviewer is sure of is an alarm, what it cannot tell a caution", () => {
  const findings = ["코드가 other.example.com에도 연락해요.", "어떤 주소를 부르는지 모르겠어요."];
  shown(samplePlan({ findings }));
  const [alarm, caution] = screen.getAllByRole("alert", { hidden: true });
  expect(alarm?.className).toContain("note-bad");
  expect(alarm?.textContent).toBe(findings[0]);
  expect(caution?.className).toContain("note-wait");
  expect(caution?.textContent).toBe(findings[1]);
});
