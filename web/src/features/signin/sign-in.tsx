import { useTranslation } from "react-i18next";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/feedback";
import { Icon, Seal } from "../../ui/icon";
import { toast } from "../../ui/toast";
import { Preferences } from "../shell/preferences";

const COMMAND = "make link";

export function SignIn({ linkProblem, onRetry }: { linkProblem: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <main className="signin" id="main">
      <div className="signin-card">
        <Seal size={48} />
        <h1 className="display">{t("signin.title")}</h1>
        <p className="lead">{t("signin.lead")}</p>
        {linkProblem !== null && <Failure problem={linkProblem} />}
        <ol className="signin-steps">
          <li>
            <p>{t("signin.step1")}</p>
            <div className="command">
              <code>{COMMAND}</code>
              <Button
                kind="quiet"
                icon="copy"
                onClick={() => void navigator.clipboard?.writeText(COMMAND).then(() => toast(t("copied")))}
              >
                {t("copy")}
              </Button>
            </div>
          </li>
          <li>
            <p>{t("signin.step2")}</p>
          </li>
        </ol>
        <p className="soft">
          <Icon name="lock" size={16} /> {t("signin.note")}
        </p>
        <div className="signin-foot">
          <Button icon="refresh" onClick={onRetry}>
            {t("signin.again")}
          </Button>
          <Preferences />
        </div>
      </div>
    </main>
  );
}
