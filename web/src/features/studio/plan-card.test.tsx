import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { shown } from "../../test-page";
import { samplePlan } from "../permission/sample-plan";
import { PlanCard } from "./plan-card";

const cost = (estimate: Partial<ReturnType<typeof samplePlan>["estimate"]>) => {
  const plan = samplePlan();
  shown(<PlanCard plan={{ ...plan, estimate: { ...plan.estimate, ...estimate } }} onReview={() => {}} />);
  const term = screen.getByText("비용").closest("div");
  return term?.querySelector("dd")?.textContent ?? "";
};

test("code that asks no model says so, and how long a run takes", () => {
  expect(cost({})).toBe("실행할 때마다 0원한 번에 약 3초");
});

test("a month is said in money, at most, and the build, about", () => {
  const text = cost({
    tokens_per_run: 4000,
    tokens_per_month: 120000,
    cost_usd_micros_per_month: 2_400_000,
    tokens_build: 21000,
    cost_usd_micros_build: 120_000,
  });
  expect(text).toMatch(/한 번에 토큰 4,000개까지, 한 달에 많아도 약 [\d,]+원/);
  expect(text).toMatch(/만드는 데 토큰 약 21,000개: 약 [\d,]+원/);
});

test("a price nobody knows is unknown, not nothing", () => {
  const text = cost({ tokens_per_run: 4000, tokens_per_month: 120000, tokens_build: 21000, priced: false });
  expect(text).toContain("한 달에 많아도 값을 몰라요");
  expect(text).toContain("21,000개: 값을 몰라요");
  expect(text.replace("3초", "")).not.toContain("0원");
});

test("what only runs by hand has no month", () => {
  expect(cost({ tokens_per_run: 4000 })).toBe("한 번에 토큰 4,000개까지한 번에 약 3초");
});
