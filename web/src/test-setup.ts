import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { startLanguage } from "./i18n";

// The API's client keeps the fetch it finds, so this stands before anything imports it.
globalThis.fetch = async (input, init) => {
  const { answerFromTable } = await import("./test-page");
  return answerFromTable(new Request(input, init));
};

await startLanguage("ko");
afterEach(cleanup);
