import { type ReactNode, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

/** Grey lines where content will be; shown only after 200 ms, so quick answers never flicker. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const { t } = useTranslation();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" role="status" aria-label={t("loading")} data-late={late}>
      {Array.from({ length: lines }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** The server's own sentence when it gave one; else what this page knows about the number. */
export function useProblemText(): (problem: unknown) => string {
  const { t } = useTranslation();
  return (problem) => {
    if (!(problem instanceof Problem)) return t("problem.unknown");
    if (problem.message && problem.status !== 0) return problem.message;
    return t(`problem.${problem.status}`, { defaultValue: t("problem.unknown") });
  };
}

export function Failure({ problem, onRetry }: { problem: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const words = useProblemText();
  return (
    <div className="note note-bad" role="alert">
      <Icon name="warn" />
      <div>
        <p>{words(problem)}</p>
        {onRetry && (
          <Button icon="refresh" onClick={onRetry}>
            {t("retry")}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A whole screen that could not be shown. */
export function ScreenFailure(props: { problem: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="screen-failure">
      <h1 className="display-small">{t("problem.title")}</h1>
      <Failure {...props} />
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={28} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Reconnecting({ connected }: { connected: boolean }) {
  const { t } = useTranslation();
  return (
    <p className="reconnecting" role="status">
      {connected ? "" : t("reconnecting")}
    </p>
  );
}
