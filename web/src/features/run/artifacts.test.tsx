import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { shown } from "../../test-page";
import { Artifacts } from "./artifacts";

const FILES = "http://files.localhost:8080/download/";
const file = (name: string, media_type: string) => ({
  id: name,
  workspace_id: "w",
  run_id: "run_1",
  agent_id: "agent_1",
  name,
  size: 12_000,
  media_type,
  sha256: "",
  blob_key: "",
  at: "2026-11-22T20:00:00Z",
  url: `${FILES}shown-${name}`,
  download_url: `${FILES}saved-${name}`,
});
const answers = {
  "GET /api/v1/runs/run_1/artifacts": {
    items: [file("chart.png", "image/png"), file("clip.mp4", "video/mp4"), file("page.html", "text/html")],
  },
};

test("pictures and films are shown from the files' own host, with room kept and words for readers", async () => {
  shown(<Artifacts run={{ id: "run_1", status: "succeeded" }} />, answers);
  const picture = await screen.findByRole<HTMLImageElement>("img", { name: "chart.png 그림" });
  expect(picture.src).toBe(`${FILES}shown-chart.png`);
  expect([picture.width, picture.height]).toEqual([640, 400]);
  const film = screen.getByLabelText<HTMLVideoElement>("clip.mp4 재생하기");
  expect(film.src).toBe(`${FILES}shown-clip.mp4`);
});

test("a page an agent made is never shown, only saved", async () => {
  shown(<Artifacts run={{ id: "run_1", status: "succeeded" }} />, answers);
  const link = await screen.findByRole<HTMLAnchorElement>("link", { name: /page\.html/ });
  expect(link.href).toBe(`${FILES}saved-page.html`);
  expect(link.download).toBe("page.html");
  expect(document.querySelector("iframe, object, embed")).toBeNull();
});
