/** A run that was not delivered can be given back to the builder; what comes of it stands in the conversation. */
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { repairRun } from "../../api/actions";
import type { Run } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { isOver } from "./words";

const MENDED = new Set(["manual", "scheduled", "triggered"]);

export const isMendable = (run: Run) =>
  isOver(run) && run.outcome === "not_delivered" && MENDED.has(run.kind ?? "manual");

export function Repair({ run }: { run: Run }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { busy, act } = useAction();
  if (!isMendable(run)) return null;
  const mend = () =>
    act(async () => {
      const { conversation_id } = await repairRun(run.id);
      void navigate(`/c/${conversation_id}`);
    });
  return (
    <Button icon="pencil" busy={busy} onClick={() => void mend()}>
      {t("run.repair")}
    </Button>
  );
}
