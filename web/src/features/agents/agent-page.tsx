import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { startRun } from "../../api/actions";
import { queries, useAgent, useAgentRuns } from "../../api/queries";
import type { AgentCard as Card } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Failure, ScreenFailure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { Switch } from "../../ui/switch";
import { useTitle } from "../../ui/title";
import { PackageQuestions } from "../permission/parked";
import { isPractice, PracticeControls } from "../practice/practice";
import { RunCard, RunLine } from "../run/run-card";
import { useSwitch } from "./agent-card";
import { Permissions, ScheduleTab } from "./agent-tabs";
import { QuarantineBanner } from "./quarantine";

const Versions = lazy(() => import("./versions").then((module) => ({ default: module.Versions })));
const Memory = lazy(() => import("./memory"));

const TABS = ["overview", "runs", "schedule", "permissions", "versions", "memory"] as const;
type Tab = (typeof TABS)[number];

function Runs({ agentId }: { agentId: string }) {
  const { t } = useTranslation();
  const runs = useAgentRuns(agentId);
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  if (runs.isPending) return <Skeleton lines={5} />;
  if (runs.error) return <Failure problem={runs.error} onRetry={() => void runs.refetch()} />;
  return (
    <>
      {items.length === 0 && <p className="soft">{t("agents.notYetRun")}</p>}
      <ul className="run-list">
        {items.map((run) => (
          <li key={run.id}>
            <RunLine run={run} />
          </li>
        ))}
      </ul>
      {runs.hasNextPage && (
        <Button busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
          {t("more")}
        </Button>
      )}
    </>
  );
}

function Overview({ agent, started }: { agent: Card; started: string | null }) {
  const { t } = useTranslation();
  const runs = useAgentRuns(agent.id, 6).data?.pages[0]?.items.filter((run) => run.kind !== "test") ?? [];
  const newest = started ?? runs[0]?.id;
  return (
    <div className="agent-overview">
      {newest ? (
        <RunCard key={newest} id={newest} title={t("agent.lastRun")} />
      ) : (
        <p className="soft">{t("agents.notYetRun")}</p>
      )}
      <ul className="run-list">
        {runs
          .filter((run) => run.id !== newest)
          .map((run) => (
            <li key={run.id}>
              <RunLine run={run} />
            </li>
          ))}
      </ul>
    </div>
  );
}

function TabBar({ tab, onChoose }: { tab: Tab; onChoose: (tab: Tab) => void }) {
  const { t } = useTranslation();
  // On a phone the tabs are wider than the window.
  useEffect(() => {
    document.getElementById(`tab-${tab}`)?.scrollIntoView?.({ block: "nearest" });
  }, [tab]);
  const move = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length] ?? "overview";
    onChoose(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={t("agent.tabs")} onKeyDown={move}>
      {TABS.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          aria-selected={tab === each}
          aria-controls="tab-panel"
          tabIndex={tab === each ? 0 : -1}
          onClick={() => onChoose(each)}
        >
          {t(`agent.tab.${each}`)}
        </button>
      ))}
    </div>
  );
}

function Content({ tab, agent, started }: { tab: Tab; agent: Card; started: string | null }) {
  switch (tab) {
    case "overview":
      return <Overview agent={agent} started={started} />;
    case "runs":
      return <Runs agentId={agent.id} />;
    case "schedule":
      return <ScheduleTab agent={agent} />;
    case "permissions":
      return <Permissions agent={agent} />;
    case "versions":
      return <Versions agent={agent} />;
    case "memory":
      return (
        <Suspense fallback={<Skeleton />}>
          <Memory agent={agent} />
        </Suspense>
      );
  }
}

function Head({ agent, onRun }: { agent: Card; onRun: (id: string) => void }) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const flip = useSwitch(agent);
  const live = agent.version_id !== null;
  return (
    <header className="agent-head">
      <Link to="/agents" className="back">
        <Icon name="back" size={16} /> {t("nav.agents")}
      </Link>
      <div className="agent-title">
        <h1 className="display-small">{agent.name}</h1>
        {live && (
          <Switch
            on={agent.enabled}
            disabled={Boolean(agent.quarantine)}
            label={t("agents.switch", { name: agent.name })}
            onChange={flip}
          />
        )}
      </div>
      <p className="soft">{agent.summary}</p>
      {agent.quarantine && <QuarantineBanner agent={agent} quarantine={agent.quarantine} />}
      <PackageQuestions agentId={agent.id} />
      <div className="actions">
        {live && (
          <Button
            kind="primary"
            icon="play"
            busy={busy}
            disabled={Boolean(agent.quarantine)}
            onClick={() => void act(async () => onRun((await startRun(agent.id)).id))}
          >
            {t("agents.runNow")}
          </Button>
        )}
        <Link to={`/c/${agent.conversation_id}`} className="button button-plain">
          <Icon name="spark" size={18} />
          <span>{t(live ? "agent.change" : "agents.finish")}</span>
        </Link>
        <a className="button button-quiet" href={`/api/v1/agents/${agent.id}/export`} hidden>
          {t("agent.export")}
        </a>
      </div>
      {live && !agent.quarantine && isPractice(agent.agent_file) && (
        <PracticeControls agentId={agent.id} onRun={onRun} />
      )}
    </header>
  );
}

export default function AgentPage() {
  const { t } = useTranslation();
  const { id = "" } = useParams();
  const agent = useAgent(id);
  const [search, setSearch] = useSearchParams();
  const [started, setStarted] = useState<string | null>(null);
  const tab = TABS.find((each) => each === search.get("tab")) ?? "overview";
  const choose = (next: Tab) => setSearch(next === "overview" ? {} : { tab: next }, { replace: true });
  useTitle(agent.data?.name);

  if (agent.error && !agent.data)
    return <ScreenFailure problem={agent.error} onRetry={() => void agent.refetch()} />;
  if (!agent.data) return <Skeleton lines={8} />;
  return (
    <div className="agent">
      <Head
        agent={agent.data}
        onRun={(runId) => {
          setStarted(runId);
          choose("overview");
          void queries.invalidateQueries({ queryKey: ["agent-runs", id] });
        }}
      />
      <TabBar tab={tab} onChoose={choose} />
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} className="tab-panel">
        <h2 className="visually-hidden">{t(`agent.tab.${tab}`)}</h2>
        <Content tab={tab} agent={agent.data} started={started} />
      </div>
    </div>
  );
}
