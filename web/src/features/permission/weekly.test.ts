import { expect, test } from "vitest";
import { cronOf, weeklyOf } from "./weekly";

test("days and a time are read from cron and written back", () => {
  expect(weeklyOf("30 9 * * 1-5")).toEqual({ days: [1, 2, 3, 4, 5], time: "09:30" });
  expect(weeklyOf("0 9 * * *")).toEqual({ days: [], time: "09:00" });
  expect(cronOf({ days: [3, 1], time: "07:05" })).toBe("5 7 * * 1,3");
  for (const cron of ["0 9 * * *", "5 7 * * 1,3", "59 23 * * 0"]) {
    const read = weeklyOf(cron);
    expect(read && cronOf(read)).toBe(cron);
  }
});

test("both numbers of Sunday are one day, and all seven are every day", () => {
  expect(weeklyOf("0 9 * * 7")).toEqual({ days: [0], time: "09:00" });
  expect(weeklyOf("0 9 * * 0-6")).toEqual({ days: [], time: "09:00" });
});

test("what is no day and time stays cron", () => {
  for (const cron of ["*/5 * * * *", "0 9 1 * *", "0 9 * * MON", "0 25 * * *", "0 9 * * 5-1", ""]) {
    expect(weeklyOf(cron)).toBeNull();
  }
});
