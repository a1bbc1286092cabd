import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Mended as Repair } from "../../api/shapes";
import { shown } from "../../test-page";
import { Mended } from "./mended";

const rows = (...titles: string[]) => [
  { name: "items.csv", header: ["상품", "가격"], rows: titles.map((title) => [title, "9900"]), more: 0 },
];
const repair: Repair = {
  unsure: [],
  before: { run_id: "run_good", rows: rows("리넨 셔츠") },
  after: { run_id: "run_today", rows: rows("리넨 셔츠", "울 머플러") },
};

test("rows of the good day and of today stand side by side, and new ones are marked", () => {
  shown(<Mended mended={repair} agentId="agent_1" />);
  const before = screen.getByRole("region", { name: "고치기 전, 잘됐던 날" });
  const after = screen.getByRole("region", { name: "고친 뒤, 오늘" });
  expect(within(before).queryByText("울 머플러")).toBeNull();
  const fresh = within(after)
    .getAllByRole("row")
    .filter((row) => row.getAttribute("data-fresh") === "true");
  expect(fresh.map((row) => row.textContent)).toEqual(["울 머플러9900"]);
  expect(within(after).getByRole("columnheader", { name: "상품" })).toBeTruthy();
  expect(within(after).getByRole("link").getAttribute("href")).toBe("/runs/run_today");
});

test("going back is said, and where", () => {
  shown(<Mended mended={repair} agentId="agent_1" />);
  expect(screen.getByRole("link", { name: "버전 보기" }).getAttribute("href")).toBe(
    "/agents/agent_1?tab=versions",
  );
});

test("what could not be tried is said before anything else; without a good day only today is shown", () => {
  const unsure = ["잘됐던 날의 기록이 없어서, 오늘 페이지로만 확인했어요."];
  shown(<Mended mended={{ unsure, after: { run_id: "run_today", rows: [] } }} agentId={null} />);
  expect(screen.getByText(unsure[0] as string)).toBeTruthy();
  expect(screen.queryByRole("region", { name: "고치기 전, 잘됐던 날" })).toBeNull();
  expect(screen.getByText("나온 것이 없어요.")).toBeTruthy();
  expect(screen.queryByRole("link", { name: "버전 보기" })).toBeNull();
});

test("long tables say how many rows are left out", () => {
  const long = [{ name: "", header: [], rows: [["리넨 셔츠: 9900"]], more: 12 }];
  shown(<Mended mended={{ unsure: [], after: { run_id: "run_today", rows: long } }} agentId={null} />);
  expect(screen.getByText("그 밖에 12줄이 더 있어요.")).toBeTruthy();
  expect(screen.getByText("보고서")).toBeTruthy();
});
