import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { BrowserRouter, Link, Route, Routes } from "react-router";
import { Problem } from "./api/client";
import { queries, useMe } from "./api/queries";
import { Shell } from "./features/shell/shell";
import { takeLink } from "./features/signin/link";
import { SignIn } from "./features/signin/sign-in";
import { StartPage } from "./features/studio/start-page";
import { ScreenFailure, Skeleton } from "./ui/feedback";
import { Toasts } from "./ui/toast";

const ConversationPage = lazy(() => import("./features/studio/conversation-page"));
const AgentsPage = lazy(() => import("./features/agents/agents-page"));
const AgentPage = lazy(() => import("./features/agents/agent-page"));
const SettingsPage = lazy(() => import("./features/settings/settings-page"));
const RunPage = lazy(() => import("./features/run/run-page"));

function NotHere() {
  const { t } = useTranslation();
  return (
    <div className="screen-failure">
      <h1 className="display-small">{t("notHere.title")}</h1>
      <p>
        <Link to="/">{t("notHere.home")}</Link>
      </p>
    </div>
  );
}

function Screens() {
  return (
    <BrowserRouter>
      <Suspense fallback={<Skeleton lines={6} />}>
        <Routes>
          <Route element={<Shell />}>
            <Route index element={<StartPage />} />
            <Route path="c/:id" element={<ConversationPage />} />
            <Route path="agents" element={<AgentsPage />} />
            <Route path="agents/:id" element={<AgentPage />} />
            <Route path="runs/:id" element={<RunPage />} />
            <Route path="settings" element={<SettingsPage />} />
            <Route path="*" element={<NotHere />} />
          </Route>
        </Routes>
      </Suspense>
    </BrowserRouter>
  );
}

/** A link opened in a tab that already shows the page only changes the fragment: nothing is loaded anew. */
function useLinkProblem(first: unknown): unknown {
  const [problem, setProblem] = useState(first);
  useEffect(() => {
    const taken = () => void takeLink().then(setProblem);
    window.addEventListener("hashchange", taken);
    return () => window.removeEventListener("hashchange", taken);
  }, []);
  return problem;
}

function Door({ firstProblem }: { firstProblem: unknown }) {
  const me = useMe();
  const linkProblem = useLinkProblem(firstProblem);
  if (me.error instanceof Problem && (me.error.status === 401 || me.error.status === 403)) {
    return <SignIn linkProblem={linkProblem} onRetry={() => void me.refetch()} />;
  }
  if (me.data) return <Screens />;
  if (me.error) {
    return (
      <main className="signin" id="main">
        <ScreenFailure problem={me.error} onRetry={() => void me.refetch()} />
      </main>
    );
  }
  return (
    <main className="signin" id="main">
      <Skeleton lines={6} />
    </main>
  );
}

export function App({ linkProblem }: { linkProblem: unknown }) {
  return (
    <QueryClientProvider client={queries}>
      <Door firstProblem={linkProblem} />
      <Toasts />
    </QueryClientProvider>
  );
}
