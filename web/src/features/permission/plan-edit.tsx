/** A person's own changes to a plan: when it works, what it may spend, what must hold. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changePlan } from "../../api/actions";
import type { Check, Plan, Schedule } from "../../api/shapes";
import { Button } from "../../ui/button";
import { Confirm, Sheet } from "../../ui/dialog";
import { useProblemText } from "../../ui/feedback";
import { Amount, Promises, When } from "./plan-fields";
import "./plan-edit.css";

interface Edited {
  schedule: Schedule | null;
  perRun: number;
  perDay: number;
  contract: Check[];
}

/** Sentences of promises that are made no longer, or more weakly: those are asked about. */
export function weaker(before: readonly Check[], after: readonly Check[]): string[] {
  return before
    .filter((check) => {
      const kept = after.find((each) => each.says === check.says && each.check === check.check);
      if (!kept) return true;
      const less = check.min !== null && (kept.min === null || kept.min < check.min);
      const more = check.max !== null && (kept.max === null || kept.max > check.max);
      return less || more;
    })
    .map((check) => check.says);
}

export function PlanEdit({ plan, onClose }: { plan: Plan; onClose: () => void }) {
  const { t } = useTranslation();
  const words = useProblemText();
  const { manifest, schedule, contract } = plan.agent_file;
  const [now, setNow] = useState<Edited>({
    schedule: schedule ?? null,
    perRun: manifest.tokens.per_run,
    perDay: manifest.tokens.per_day,
    contract: [...contract],
  });
  const [problem, setProblem] = useState("");
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const lost = weaker(contract, now.contract);
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const other = {
    ...(same(now.schedule, schedule ?? null) ? {} : { schedule: now.schedule }),
    ...(same([now.perRun, now.perDay], [manifest.tokens.per_run, manifest.tokens.per_day])
      ? {}
      : { caps: { per_run: now.perRun, per_day: now.perDay } }),
    ...(same(now.contract, contract) ? {} : { contract: now.contract }),
  };
  const save = async () => {
    setBusy(true);
    setAsking(false);
    setProblem("");
    try {
      await changePlan(plan.id, other);
      onClose();
    } catch (reason) {
      setProblem(words(reason));
      setBusy(false);
    }
  };
  return (
    <Sheet
      title={t("edit.title")}
      lead={t("edit.lead")}
      onClose={onClose}
      foot={
        <>
          {problem && (
            <p className="field-problem" role="alert">
              {problem}
            </p>
          )}
          <Button
            kind="primary"
            busy={busy}
            disabled={Object.keys(other).length === 0}
            onClick={() => (lost.length > 0 ? setAsking(true) : void save())}
          >
            {t("edit.save")}
          </Button>
        </>
      }
    >
      {now.schedule && (
        <section className="permission-group edit-group">
          <h3>{t("sheet.group.when")}</h3>
          <When
            schedule={now.schedule}
            firings={same(now.schedule, schedule) ? plan.next_firings : []}
            onChange={(changed) => setNow({ ...now, schedule: changed })}
          />
        </section>
      )}
      <section className="permission-group edit-group">
        <h3>{t("sheet.group.spend")}</h3>
        <div className="edit-bounds">
          <Amount
            label={t("edit.perRun")}
            value={now.perRun}
            onChange={(perRun) => setNow({ ...now, perRun })}
          />
          <Amount
            label={t("edit.perDay")}
            value={now.perDay}
            onChange={(perDay) => setNow({ ...now, perDay })}
          />
        </div>
      </section>
      <section className="permission-group edit-group">
        <h3>{t("sheet.group.check")}</h3>
        <Promises contract={now.contract} onChange={(changed) => setNow({ ...now, contract: changed })} />
      </section>
      {asking && (
        <Confirm
          title={t("edit.weaker")}
          yes={t("edit.save")}
          busy={busy}
          onYes={() => void save()}
          onNo={() => setAsking(false)}
        >
          <p>{t("edit.weakerWhat")}</p>
          <ul className="edit-lost">
            {lost.map((says) => (
              <li key={says}>{says}</li>
            ))}
          </ul>
        </Confirm>
      )}
    </Sheet>
  );
}
