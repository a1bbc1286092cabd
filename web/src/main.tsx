import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { takeLink } from "./features/signin/link";
import { startLanguage } from "./i18n";
import { startTheme } from "./ui/theme";
import "./ui/styles";

startTheme();
const [linkProblem] = await Promise.all([takeLink(), startLanguage()]);
void import("./ui/fonts");

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App linkProblem={linkProblem} />
    </StrictMode>,
  );
}
