import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { ConversationDetail } from "../../api/shapes";
import { shown } from "../../test-page";
import { Entries } from "./entries";
import { Retry } from "./retry";

const detail = (engine: "recipes" | "claude", data: object, said = "새 상품을 알려 줘") =>
  ({
    id: "conv_1",
    title: said,
    state: "failed",
    engine,
    messages: [
      { id: "1", seq: 1, kind: "text", author: "person", data: { text: said } },
      { id: "2", seq: 2, kind: "result", author: "builder", data },
    ],
  }) as unknown as ConversationDetail;
const pressed = async (value: ConversationDetail): Promise<string[]> => {
  const sent: string[] = [];
  shown(<Retry detail={value} onSay={async (text) => sent.push(text) > 0} />);
  await userEvent.click(screen.getByRole("button", { name: "다시" }));
  return sent;
};

test("a model goes on from where it was", async () => {
  expect(await pressed(detail("claude", { text: "끊겼어요" }))).toEqual(["이어서 해 주세요."]);
});

test("recipes hear the last words again", async () => {
  expect(await pressed(detail("recipes", { text: "끊겼어요" }))).toEqual(["새 상품을 알려 줘"]);
});

test("where other requests are offered, the same one is not", () => {
  shown(
    <Retry
      detail={detail("recipes", { text: "못 해요", suggestions: ["다른 것"] })}
      onSay={async () => true}
    />,
  );
  expect(screen.queryByRole("button", { name: "다시" })).toBeNull();
});

const entries = (value: ConversationDetail, onEdit: ((text: string) => void) | null) => (
  <Entries
    detail={value}
    writing={false}
    onAnswer={async () => true}
    onSay={() => {}}
    onReview={() => {}}
    onEdit={onEdit}
  />
);

test("the newest thing said is put back into the box, but not while something is made", async () => {
  const edited: string[] = [];
  shown(entries(detail("claude", { text: "끊겼어요" }), (text) => edited.push(text)));
  await userEvent.click(screen.getByRole("button", { name: "고쳐서 다시 보내기" }));
  expect(edited).toEqual(["새 상품을 알려 줘"]);
});

test("a key pasted into the chat is pointed to where it belongs", async () => {
  const connections = { items: [], operator: false, wanted: true, model: "m" };
  const said = detail("recipes", { text: "네" }, "내 키는 [보관함: ANTHROPIC_API_KEY]");
  shown(entries(said, null), { "GET /api/v1/connections": connections });
  expect(await screen.findByRole("link", { name: "Claude 연결하기" })).toBeTruthy();
});
