import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Composer } from "./composer";

function shown(taken = true) {
  const sent: string[] = [];
  render(
    <Composer
      label="메시지"
      placeholder=""
      onSend={async (text) => {
        sent.push(text);
        return taken;
      }}
    />,
  );
  return { sent, box: screen.getByRole("textbox", { name: "메시지" }) as HTMLTextAreaElement };
}

test("Enter sends what was written and empties the box", async () => {
  const { sent, box } = shown();
  await userEvent.type(box, "매일 아침 알려 줘{Enter}");
  await waitFor(() => expect(box.value).toBe(""));
  expect(sent).toEqual(["매일 아침 알려 줘"]);
});

test("Shift and Enter make a new line", async () => {
  const { sent, box } = shown();
  await userEvent.type(box, "하나{Shift>}{Enter}{/Shift}둘");
  expect(box.value).toBe("하나\n둘");
  expect(sent).toEqual([]);
});

test("Enter that ends a syllable being composed sends nothing", () => {
  const { sent, box } = shown();
  fireEvent.change(box, { target: { value: "가게" } });
  fireEvent.keyDown(box, { key: "Enter", isComposing: true });
  fireEvent.keyDown(box, { key: "Enter", keyCode: 229 });
  expect(sent).toEqual([]);
});

test("what the server did not take stays in the box", async () => {
  const { sent, box } = shown(false);
  await userEvent.type(box, "다시{Enter}");
  await waitFor(() => expect(sent).toHaveLength(1));
  expect(box.value).toBe("다시");
});

test("blank text cannot be sent", async () => {
  const { sent, box } = shown();
  await userEvent.type(box, "   {Enter}");
  expect(sent).toEqual([]);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "보내기" }).disabled).toBe(true);
});
