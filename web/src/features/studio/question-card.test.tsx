import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { Question } from "../../api/shapes";
import { QuestionCard } from "./question-card";

const where: Question = {
  id: "channel",
  text: "어디로 보낼까요?",
  kind: "choice",
  choices: [
    { value: "inbox", label: "받은 보고서" },
    { value: "slack", label: "슬랙" },
  ],
};
const address: Question = { id: "url", text: "어느 페이지를 볼까요?", kind: "url" };

function shown(questions: Question[], answered: Record<string, string> | null = null, open = true) {
  const given: Record<string, string>[] = [];
  const onAnswer = async (answers: Record<string, string>) => {
    given.push(answers);
    return true;
  };
  render(<QuestionCard questions={questions} answered={answered} open={open} onAnswer={onAnswer} />);
  return given;
}

test("a single choice answers itself when it is tapped", async () => {
  const given = shown([where]);
  await userEvent.click(screen.getByRole("radio", { name: "슬랙" }));
  expect(given).toEqual([{ channel: "slack" }]);
});

test("several questions are answered together, once all have a value", async () => {
  const given = shown([where, address]);
  await userEvent.click(screen.getByRole("radio", { name: "받은 보고서" }));
  const send = screen.getByRole<HTMLButtonElement>("button", { name: "답하기" });
  expect(send.disabled).toBe(true);
  await userEvent.type(screen.getByLabelText("어느 페이지를 볼까요?"), "https://shop.example.com");
  await userEvent.click(send);
  expect(given).toEqual([{ channel: "inbox", url: "https://shop.example.com" }]);
});

test("an open question takes what is written and, with one tap, what is offered", async () => {
  const offered = { ...address, choices: [{ value: "practice", label: "연습용 가게로 해 보기" }] };
  const written = shown([offered]);
  await userEvent.type(
    screen.getByLabelText("어느 페이지를 볼까요?"),
    "https://a.example, https://b.example{Enter}",
  );
  expect(written).toEqual([{ url: "https://a.example, https://b.example" }]);
  cleanup();
  const tapped = shown([offered]);
  await userEvent.click(screen.getByRole("radio", { name: "연습용 가게로 해 보기" }));
  expect(tapped).toEqual([{ url: "practice" }]);
});

test("an answered question shows the answer and takes no other", () => {
  shown([where], { channel: "inbox" });
  const chosen = screen.getByRole<HTMLInputElement>("radio", { name: "받은 보고서" });
  expect(chosen.checked).toBe(true);
  expect(chosen.disabled).toBe(true);
});

test("a secret is typed into a field that does not show it", () => {
  shown([{ id: "key", text: "열쇠를 알려 주세요", kind: "secret" }]);
  expect(screen.getByLabelText<HTMLInputElement>("열쇠를 알려 주세요").type).toBe("password");
});
