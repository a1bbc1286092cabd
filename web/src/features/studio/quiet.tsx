/** How long nothing has come: a model may think for a minute, and a page that stands still looks broken. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { count } from "../../ui/amounts";

const SAID_AFTER_S = 3;

/** Whole seconds since `last` was another one. */
function useQuiet(last: unknown): number {
  const [seconds, setSeconds] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what has come is only compared, never read
  useEffect(() => {
    setSeconds(0);
    const began = performance.now();
    const timer = setInterval(() => setSeconds(Math.floor((performance.now() - began) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [last]);
  return seconds;
}

/** Seconds that count up beside a sign of life; not read out, since they would never end. */
export function QuietSeconds({ last }: { last: unknown }) {
  const { t, i18n } = useTranslation();
  const seconds = useQuiet(last);
  return (
    <span className="quiet-seconds" aria-hidden="true">
      {seconds >= SAID_AFTER_S && t("writing.quiet", { seconds: count(seconds, i18n.language) })}
    </span>
  );
}

/** Below what is being written; its line is there from the beginning, so nothing moves when it speaks. */
export function QuietLine({ last }: { last: unknown }) {
  const { t, i18n } = useTranslation();
  const seconds = useQuiet(last);
  const text = t("writing.quietLine", { seconds: count(seconds, i18n.language) });
  return (
    <p className="writing-quiet soft" aria-hidden="true">
      {seconds >= SAID_AFTER_S && text}
    </p>
  );
}
