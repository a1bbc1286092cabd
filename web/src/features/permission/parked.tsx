import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { decidePermission } from "../../api/actions";
import { queries, usePermissionRequests } from "../../api/queries";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";

interface Props {
  requestId: string | null;
  /** Said when the question itself is no longer open. */
  otherwise: string;
  /** Whether the run is somewhere else and can be gone to. */
  linked?: boolean;
}

/** The one question of a run that waits. */
export function ParkedQuestion({ requestId: id, otherwise, linked = false }: Props) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const asked = usePermissionRequests().data?.items.find((request) => request.id === id);
  const decide = (decision: "allow" | "deny") =>
    act(async () => {
      if (!id) return;
      await decidePermission(id, decision);
      toast(t(decision === "allow" ? "parked.allowed" : "parked.denied"));
      for (const name of ["permission-requests", "run", "agents", "notices"]) {
        void queries.invalidateQueries({ queryKey: [name] });
      }
    });
  return (
    <section className="parked" aria-label={t("parked.title")}>
      <Icon name="hand" />
      <div>
        <h3>{t("parked.title")}</h3>
        <p>{asked?.sentence ?? otherwise}</p>
        {asked && (
          <p className="permission-detail">
            {asked.method} {asked.host}
            {asked.path}
          </p>
        )}
        <div className="actions">
          <Button kind="primary" busy={busy} onClick={() => void decide("allow")}>
            {t("parked.allow")}
          </Button>
          <Button busy={busy} onClick={() => void decide("deny")}>
            {t("parked.deny")}
          </Button>
          {linked && asked && <Link to={`/runs/${asked.run_id}`}>{t("agents.look")}</Link>}
        </div>
      </div>
    </section>
  );
}
