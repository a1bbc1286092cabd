import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { liftQuarantine } from "../../api/actions";
import { queries } from "../../api/queries";
import type { AgentCard, Quarantine } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";
import { toast } from "../../ui/toast";

/** An agent that was stopped because something went wrong stays off until a person says that it may go on. */
export function QuarantineBanner({ agent, quarantine }: { agent: AgentCard; quarantine: Quarantine }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { busy, act } = useAction();
  const lift = () =>
    act(async () => {
      await liftQuarantine(agent.id);
      setAsking(false);
      toast(t("quarantine.lifted"));
      for (const queryKey of [["agent", agent.id], ["agents"], ["notices"]]) {
        void queries.invalidateQueries({ queryKey });
      }
    });
  return (
    <section className="quarantine" aria-label={t("quarantine.title")}>
      <Icon name="warn" size={24} />
      <div>
        <h2>{t("quarantine.title")}</h2>
        <p>{quarantine.text}</p>
        <p className="soft">
          <When at={quarantine.at} />
          {quarantine.run_id && (
            <>
              {" · "}
              <Link to={`/runs/${quarantine.run_id}`}>{t("quarantine.run")}</Link>
            </>
          )}
        </p>
        <p className="soft">{t("quarantine.means")}</p>
        <div className="actions">
          <Button onClick={() => setAsking(true)}>{t("quarantine.lift")}</Button>
          <Link to={`/c/${agent.conversation_id}`} className="button button-quiet">
            {t("agent.change")}
          </Link>
        </div>
      </div>
      {asking && (
        <Confirm
          title={t("quarantine.sure", { name: agent.name })}
          yes={t("quarantine.lift")}
          busy={busy}
          onYes={() => void lift()}
          onNo={() => setAsking(false)}
        >
          <p>{t("quarantine.what")}</p>
          <p className="soft">{t("quarantine.secrets")}</p>
        </Confirm>
      )}
    </section>
  );
}
