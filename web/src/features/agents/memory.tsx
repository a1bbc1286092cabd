/** What an agent remembers between runs, newest first, with a way back that loses nothing. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { rewindState } from "../../api/actions";
import { queries, useStateVersions } from "../../api/queries";
import type { AgentCard, StateLine } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { size } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Failure, Skeleton, useProblemText } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { exact, When } from "../../ui/time";
import { toast } from "../../ui/toast";
import "./memory.css";

interface RowProps {
  state: StateLine;
  onRewind: () => void;
}

function Row({ state, onRewind }: RowProps) {
  const { t, i18n } = useTranslation();
  const kept = state.standing === "candidate" || state.standing === "aside";
  return (
    <li data-current={state.current}>
      <Icon name={kept ? "eye" : "memory"} size={18} />
      <div className="memory-words">
        <p>
          <strong>{t("agent.memory", { number: state.number })}</strong>
          {state.current && <span className="badge badge-good">{t("memory.current")}</span>}
          {kept && <span className="badge">{t(`memory.${state.standing}`)}</span>}
        </p>
        <p className="soft">
          <When at={state.at} /> · {size(state.size, i18n.language)}
          {state.run_id && (
            <>
              {" · "}
              <Link to={`/runs/${state.run_id}`}>{t("memory.run")}</Link>
            </>
          )}
          {state.rewound_from != null && ` · ${t("memory.from", { number: state.rewound_from })}`}
        </p>
        {state.standing === "candidate" && <p className="soft">{t("memory.candidateWhy")}</p>}
      </div>
      {!state.current && state.standing !== "candidate" && (
        <Button onClick={onRewind}>
          {t("memory.rewind")}
          <span className="visually-hidden"> ({t("agent.memory", { number: state.number })})</span>
        </Button>
      )}
    </li>
  );
}

/** Rewinding is asked for; until it is done the list says so. */
function useRewind(agentId: string): (number: number, back: number | null) => Promise<void> {
  const { t } = useTranslation();
  const words = useProblemText();
  const rewind = async (number: number, back: number | null): Promise<void> => {
    await rewindState(agentId, number);
    toast(
      t(back === null ? "memory.undone" : "memory.rewound", { number }),
      back === null
        ? {}
        : {
            action: {
              label: t("undo"),
              run: () => void rewind(back, null).catch((problem) => toast(words(problem), { bad: true })),
            },
          },
    );
    void queries.invalidateQueries({ queryKey: ["agent-state", agentId] });
  };
  return rewind;
}

export default function Memory({ agent }: { agent: AgentCard }) {
  const { t, i18n } = useTranslation();
  const states = useStateVersions(agent.id);
  const [wanted, setWanted] = useState<StateLine | null>(null);
  const { busy, act } = useAction();
  const rewind = useRewind(agent.id);
  if (!agent.agent_file.manifest.state) return <p>{t("sheet.noState")}</p>;
  if (states.isPending) return <Skeleton />;
  if (states.error) return <Failure problem={states.error} onRetry={() => void states.refetch()} />;
  const items = [...states.data.items].sort((one, other) => other.number - one.number);
  if (items.length === 0) return <p className="soft">{t("agent.noMemory")}</p>;
  const current = items.find((state) => state.current)?.number ?? null;
  const confirm = async () => {
    const number = wanted?.number;
    if (number === undefined) return;
    if (await act(() => rewind(number, current))) setWanted(null);
  };
  return (
    <>
      <p className="soft">{t("memory.lead")}</p>
      {states.data.problem && (
        <p className="note note-bad" role="alert">
          <Icon name="warn" size={18} />
          <span>{states.data.problem}</span>
        </p>
      )}
      <p className="memory-going" role="status">
        {states.data.rewinding != null && t("memory.going", { number: states.data.rewinding })}
      </p>
      <ol className="memory">
        {items.map((state) => (
          <Row key={state.number} state={state} onRewind={() => setWanted(state)} />
        ))}
      </ol>
      {wanted && (
        <Confirm
          title={t("memory.sure", { number: wanted.number })}
          yes={t("memory.rewind")}
          busy={busy}
          onYes={() => void confirm()}
          onNo={() => setWanted(null)}
        >
          <p>{t("memory.what", { at: exact(wanted.at, i18n.language) })}</p>
          <p className="soft">{t("memory.keeps")}</p>
        </Confirm>
      )}
    </>
  );
}
