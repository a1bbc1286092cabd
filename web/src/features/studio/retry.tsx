import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ConversationDetail } from "../../api/shapes";
import { Button } from "../../ui/button";

/** After trouble: a model goes on from where it was; recipes read the last message again. Where other requests are
 * offered instead, the same one again would end the same. */
export function Retry({
  detail,
  onSay,
}: {
  detail: ConversationDetail;
  onSay: (text: string) => Promise<boolean>;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const said = detail.messages.findLast((entry) => entry.kind === "text" && entry.author === "person");
  const result = detail.messages.findLast((entry) => entry.kind === "result");
  const offered = result?.kind === "result" && (result.data.suggestions?.length ?? 0) > 0;
  const again = said?.kind === "text" ? said.data.text : detail.title;
  if (offered) return null;
  return (
    <div className="actions">
      <Button
        icon="refresh"
        busy={busy}
        onClick={() => {
          setBusy(true);
          void onSay(detail.engine === "claude" ? t("studio.goOn") : again).finally(() => setBusy(false));
        }}
      >
        {t("studio.again")}
      </Button>
    </div>
  );
}
