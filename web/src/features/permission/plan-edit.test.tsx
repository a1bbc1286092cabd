import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Check, Plan } from "../../api/shapes";
import { changes, shown } from "../../test-page";
import { PlanEdit, weaker } from "./plan-edit";
import { samplePlan } from "./sample-plan";

const check = (says: string, change: Partial<Check> = {}): Check =>
  ({ check: "rows", says, path: "outputs/a.csv", min: 3, max: null, ...change }) as Check;
const CONTRACT = [check("세 줄이 넘어요"), check("보고가 있어요", { check: "delivered", min: 1 })];
const plan: Plan = { ...samplePlan(), agent_file: { ...samplePlan().agent_file, contract: CONTRACT } };
const PATCH = `PATCH /api/v1/plans/${plan.id}`;
const save = () => userEvent.click(screen.getByRole("button", { name: "이렇게 바꾸기", hidden: true }));

test("a promise that is dropped or loosened is weaker; a stricter one is not", () => {
  expect(weaker(CONTRACT, CONTRACT)).toEqual([]);
  expect(weaker(CONTRACT, CONTRACT.slice(1))).toEqual(["세 줄이 넘어요"]);
  expect(weaker(CONTRACT, [check("세 줄이 넘어요", { min: 2 }), ...CONTRACT.slice(1)])).toEqual([
    "세 줄이 넘어요",
  ]);
  expect(weaker(CONTRACT, [check("세 줄이 넘어요", { min: 4, max: 9 }), ...CONTRACT.slice(1)])).toEqual([]);
});

test("only what was changed is sent", async () => {
  const asked = shown(<PlanEdit plan={plan} onClose={() => {}} />, { [PATCH]: { id: plan.id } });
  const tokens = screen.getByLabelText("한 번에 쓸 토큰");
  await userEvent.clear(tokens);
  await userEvent.type(tokens, "5000");
  await save();
  expect(changes(asked).map(({ body }) => body)).toEqual([{ caps: { per_run: 5000, per_day: 0 } }]);
});

test("a weaker contract is asked about, naming the promise, before anything is sent", async () => {
  const asked = shown(<PlanEdit plan={plan} onClose={() => {}} />, { [PATCH]: { id: plan.id } });
  await userEvent.click(screen.getByRole("button", { name: "‘세 줄이 넘어요’ 빼기", hidden: true }));
  await save();
  expect(changes(asked)).toEqual([]);
  const question = screen.getByRole("dialog", { name: "확인 조건을 느슨하게 할까요?", hidden: true });
  expect(within(question).getByText("세 줄이 넘어요")).toBeTruthy();
  await userEvent.click(within(question).getByRole("button", { name: "이렇게 바꾸기", hidden: true }));
  expect(changes(asked).map(({ body }) => (body as { contract: Check[] }).contract.length)).toEqual([1]);
});

test("the last promise cannot be taken away", () => {
  const one = { ...plan, agent_file: { ...plan.agent_file, contract: CONTRACT.slice(0, 1) } };
  shown(<PlanEdit plan={one} onClose={() => {}} />);
  const remove = screen.getByRole<HTMLButtonElement>("button", {
    name: "‘세 줄이 넘어요’ 빼기",
    hidden: true,
  });
  expect(remove.disabled).toBe(true);
});
