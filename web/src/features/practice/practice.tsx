/** The practice shops' switches: they exist so that a person can see a next day and a broken shop at once. */
import { useTranslation } from "react-i18next";
import { setPractice, startRun } from "../../api/actions";
import { queries, useMe } from "../../api/queries";
import type { AgentFile, Me, Practice } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";

const HOST = "practice.agentbuilder.test";

export function isPractice(file: AgentFile | undefined): boolean {
  return file?.manifest.hosts.some((rule) => rule.host === HOST || rule.host.endsWith(`.${HOST}`)) ?? false;
}

interface Props {
  agentId: string;
  onRun: (runId: string) => void;
}

export function PracticeControls({ agentId, onRun }: Props) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const practice = useMe().data?.practice ?? { day: 1, broken: false };

  const change = (next: Partial<Practice>) =>
    act(async () => {
      const now = await setPractice(next);
      queries.setQueryData<Me>(["me"], (me) => (me ? { ...me, practice: now } : me));
      onRun((await startRun(agentId)).id);
    });

  return (
    <section className="practice" aria-label={t("practice.title")}>
      <p className="practice-title">
        <Icon name="shop" size={18} />
        <span>
          <strong>{t("practice.title")}</strong>{" "}
          <span className="soft">
            {t("practice.day", { day: practice.day })}
            {practice.broken && ` · ${t("practice.broken")}`}
          </span>
        </span>
      </p>
      <div className="practice-actions">
        <Button icon="calendar" busy={busy} onClick={() => void change({ day: practice.day + 1 })}>
          {t("practice.next")}
        </Button>
        <Button
          icon={practice.broken ? "refresh" : "warn"}
          busy={busy}
          onClick={() => void change({ broken: !practice.broken })}
        >
          {practice.broken ? t("practice.mend") : t("practice.break")}
        </Button>
      </div>
    </section>
  );
}
