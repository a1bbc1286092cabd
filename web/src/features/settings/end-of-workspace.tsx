import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { deleteWorkspace } from "../../api/actions";
import { queries } from "../../api/queries";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { toast } from "../../ui/toast";

/** Cannot be taken back, so a word is typed: the workspace's name, or where it has none, the word for deleting. */
export function EndOfWorkspace({ name }: { name: string }) {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState("");
  const { busy, act } = useAction();
  const field = useId();
  const word = name.trim() || t("ending.word");
  const end = () =>
    act(async () => {
      await deleteWorkspace(typed.trim());
      setAsking(false);
      setTyped("");
      toast(t("ending.done"));
      void queries.invalidateQueries();
    });
  return (
    <section className="card ending" aria-labelledby={`${field}-title`}>
      <h2 id={`${field}-title`}>{t("ending.title")}</h2>
      <p>{t("ending.what")}</p>
      <p className="soft">{t("ending.stays")}</p>
      <Button onClick={() => setAsking(true)}>{t("ending.start")}</Button>
      {asking && (
        <Confirm
          title={t("ending.sure")}
          yes={t("ending.start")}
          busy={busy}
          disabled={typed.trim() !== word}
          onYes={() => void end()}
          onNo={() => setAsking(false)}
        >
          <p>{t("ending.what")}</p>
          <label htmlFor={field}>{t("ending.type", { word })}</label>
          <input
            id={field}
            className="input"
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </Confirm>
      )}
    </section>
  );
}
