import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { changeAgent, startRun } from "../../api/actions";
import { queries, useInbox } from "../../api/queries";
import type { AgentList, AgentCard as Card } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { count } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { useProblemText } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { Switch } from "../../ui/switch";
import { Planned, When } from "../../ui/time";
import { toast } from "../../ui/toast";
import { PackageQuestions, ParkedQuestion } from "../permission/parked";
import { Badge } from "../run/run-card";
import { gist } from "../run/words";

/** Kinds of waiting that are an open question, named by its id. */
const QUESTIONS = new Set(["parked", "host", "write"]);

function show(id: string, enabled: boolean): void {
  queries.setQueryData<AgentList>(
    ["agents"],
    (list) =>
      list && { ...list, items: list.items.map((item) => (item.id === id ? { ...item, enabled } : item)) },
  );
  queries.setQueryData<Card>(["agent", id], (agent) => agent && { ...agent, enabled });
}

/** Moves at once, goes back when the server refuses, and can be taken back from the toast. */
export function useSwitch(agent: Card): (on: boolean) => void {
  const { t } = useTranslation();
  const words = useProblemText();
  const set = async (enabled: boolean, undoable: boolean): Promise<void> => {
    show(agent.id, enabled);
    try {
      await changeAgent(agent.id, { enabled });
      const said = t(enabled ? "agents.nowOn" : "agents.nowOff", { name: agent.name });
      toast(said, undoable ? { action: { label: t("undo"), run: () => void set(!enabled, false) } } : {});
    } catch (problem) {
      show(agent.id, !enabled);
      toast(words(problem), { bad: true });
    } finally {
      void queries.invalidateQueries({ queryKey: ["agents"] });
      void queries.invalidateQueries({ queryKey: ["agent", agent.id] });
    }
  };
  return (on) => void set(on, true);
}

function Proof({ agent }: { agent: Card }) {
  const { t } = useTranslation();
  const last = agent.last_run;
  const report = useInbox().data?.items.find((delivery) => delivery.run_id === last?.id);
  if (!last) return <p className="soft">{t("agents.notYetRun")}</p>;
  return (
    <Link to={`/runs/${last.id}`} className="proof">
      <Badge run={last} />
      <span className="proof-text">{report ? gist(report.text) : last.text}</span>
      {last.finished_at && <When at={last.finished_at} />}
    </Link>
  );
}

export function AgentCard({ agent }: { agent: Card }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { busy, act } = useAction();
  const flip = useSwitch(agent);
  const live = agent.version_id !== null;
  // What stopped it is said by the banner above already.
  const waiting = agent.waiting.filter((item) => !(item.kind === "quarantine" && agent.quarantine));
  const zone = agent.agent_file.schedule?.timezone ?? "UTC";
  const runNow = () =>
    act(async () => {
      const { id } = await startRun(agent.id);
      void queries.invalidateQueries({ queryKey: ["agents"] });
      await navigate(`/runs/${id}`);
    });
  return (
    <li className="card agent-card" data-waiting={agent.waiting.length > 0}>
      <header>
        <h2>
          <Link to={`/agents/${agent.id}`}>{agent.name}</Link>
        </h2>
        {live && (
          <Switch
            on={agent.enabled}
            disabled={Boolean(agent.quarantine)}
            label={t("agents.switch", { name: agent.name })}
            onChange={flip}
          />
        )}
      </header>
      <p className="agent-summary">{agent.summary}</p>
      {agent.quarantine && (
        <p className="note note-bad">
          <Icon name="warn" size={18} />
          <span>{t("quarantine.short")}</span>
          <Link to={`/agents/${agent.id}`}>{t("agents.look")}</Link>
        </p>
      )}
      <PackageQuestions agentId={agent.id} />
      {waiting.map((item) =>
        QUESTIONS.has(item.kind) ? (
          <ParkedQuestion key={item.about} requestId={item.about} otherwise={item.text} linked />
        ) : (
          <p key={item.about} className="note note-wait">
            <Icon name="hand" size={18} />
            <span>{item.text}</span>
            <Link to={`/agents/${agent.id}?tab=runs`}>{t("agents.look")}</Link>
          </p>
        ),
      )}
      <p className="agent-next">
        <Icon name="clock" size={16} />
        {agent.enabled && agent.next_at ? (
          <>
            {t("agents.next")} <Planned at={agent.next_at} zone={zone} />
          </>
        ) : (
          (live && !agent.enabled ? t("agents.off") : agent.schedule_words) || t("plan.byHand")
        )}
      </p>
      <Proof agent={agent} />
      <footer>
        {live ? (
          <Button icon="play" busy={busy} disabled={Boolean(agent.quarantine)} onClick={() => void runNow()}>
            {t("agents.runNow")}
          </Button>
        ) : (
          <Link to={`/c/${agent.conversation_id}`} className="button button-plain">
            {t("agents.finish")}
          </Link>
        )}
        <span className="soft">
          {agent.tokens_month === 0
            ? t("agents.noTokens")
            : t("agents.tokens", { tokens: count(agent.tokens_month, i18n.language) })}
        </span>
      </footer>
    </li>
  );
}
