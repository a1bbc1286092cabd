import { useTranslation } from "react-i18next";
import { decidePermission } from "../../api/actions";
import { queries, usePermissionRequests } from "../../api/queries";
import type { Run } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { toast } from "../../ui/toast";

/** The one question of a run that waits. */
export function ParkedQuestion({ run }: { run: Pick<Run, "id" | "permission_request_id" | "reason"> }) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const asked = usePermissionRequests().data?.items.find(
    (request) => request.run_id === run.id || request.id === run.permission_request_id,
  );
  const id = asked?.id ?? run.permission_request_id;
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
        <p>{asked?.sentence ?? run.reason?.text}</p>
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
        </div>
      </div>
    </section>
  );
}
