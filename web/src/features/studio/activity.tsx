/** What can be done once the rehearsal was seen: switch on, watch the first report come, try the next day. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { changeAgent, startRun } from "../../api/actions";
import { Problem } from "../../api/client";
import { queries, useAgent, useAgentRuns } from "../../api/queries";
import type { ConversationDetail, Run } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Planned } from "../../ui/time";
import { isPractice, PracticeControls } from "../practice/practice";
import { RunCard, RunLine } from "../run/run-card";
import { isOver } from "../run/words";

interface Props {
  detail: ConversationDetail;
  rehearsal: Run | undefined;
  /** A run was asked for: what follows is at the bottom. */
  onStart: () => void;
}

interface SwitchOnProps {
  detail: ConversationDetail;
  /** The version that works meanwhile; null: none does. */
  meanwhile: number | null;
  onOn: (runId: string) => void;
}

function SwitchOn({ detail, meanwhile, onOn }: SwitchOnProps) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const plan = detail.plan;
  const zone = plan?.agent_file.schedule?.timezone ?? detail.timezone;
  const next = plan?.next_firings[0];
  const turnOn = () =>
    act(async () => {
      const id = detail.agent_id;
      if (!id) return;
      await changeAgent(id, { enabled: true });
      void queries.invalidateQueries({ queryKey: ["agent", id] });
      void queries.invalidateQueries({ queryKey: ["agents"] });
      onOn((await startWhenLive(id)).id);
    });
  const title = t(meanwhile === null ? "activity.readyTitle" : "activity.newTitle");
  return (
    <section className="card switch-on" aria-label={title}>
      <div>
        <h3>{title}</h3>
        <p className="soft">
          {meanwhile === null
            ? t("activity.readyText")
            : t("activity.newText", { version: t("agent.version", { number: meanwhile }) })}
          {next && (
            <>
              {" "}
              {t("activity.nextAt")} <Planned at={next} zone={zone} />
            </>
          )}
        </p>
      </div>
      <Button kind="primary" icon="play" busy={busy} onClick={() => void turnOn()}>
        {t("activity.turnOn")}
      </Button>
    </section>
  );
}

/** Switching on is told to the other services by a fact; a run asked for in the same moment may be too early. */
async function startWhenLive(agentId: string): Promise<{ id: string }> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await startRun(agentId);
    } catch (problem) {
      const early = problem instanceof Problem && (problem.status === 409 || problem.status === 503);
      if (!early || attempt >= 4) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt));
    }
  }
}

export function Activity({ detail, rehearsal, onStart }: Props) {
  const { t } = useTranslation();
  const [started, setStarted] = useState<string[]>([]);
  const { busy, act } = useAction();
  const agentId = detail.state === "ready" || detail.state === "active" ? detail.agent_id : null;
  const agent = useAgent(agentId).data;
  const listed =
    useAgentRuns(agent?.version_id || started.length > 0 ? agentId : null, 6).data?.pages[0]?.items ?? [];
  const real = listed.filter((run) => run.kind !== "test");
  const known = new Set(real.map((run) => run.id));
  const unlisted = started.filter((id) => !known.has(id));
  const newestId = unlisted.at(-1) ?? real[0]?.id;
  // A version that was mended or changed waits here until the person switches it on; another one works meanwhile.
  const waits = started.length === 0 && agent?.version_id != null && agent.version_id !== detail.version_id;
  const live = started.length > 0 || (agent?.version_id != null && !waits);

  if (!agentId || !isOver(rehearsal)) return null;
  const begun = (runId: string) => {
    setStarted((before) => [...before, runId]);
    void queries.invalidateQueries({ queryKey: ["agent-runs", agentId] });
    onStart();
  };
  return (
    <div className="activity">
      {!live && agent && (
        <SwitchOn detail={detail} meanwhile={waits ? agent.version_number : null} onOn={begun} />
      )}
      {live && (
        <p className="said-note">
          <Icon name="check" size={16} /> {t("activity.isOn")}{" "}
          <Link to={`/agents/${agentId}`}>{t("activity.toAgent")}</Link>
        </p>
      )}
      {!waits &&
        real
          .filter((run) => run.id !== newestId)
          .slice(0, 4)
          .reverse()
          .map((run) => <RunLine key={run.id} run={run} />)}
      {!waits && newestId && (
        <RunCard
          key={newestId}
          id={newestId}
          title={t(known.size + unlisted.length > 1 ? "activity.run" : "activity.firstRun")}
        />
      )}
      {live && (
        <div className="actions">
          <Button
            icon="play"
            busy={busy}
            onClick={() => void act(async () => begun((await startRun(agentId)).id))}
          >
            {t("activity.runNow")}
          </Button>
        </div>
      )}
      {live && isPractice(detail.plan?.agent_file ?? agent?.agent_file) && (
        <PracticeControls agentId={agentId} onRun={begun} />
      )}
    </div>
  );
}
