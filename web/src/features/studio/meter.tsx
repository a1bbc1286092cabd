import { useTranslation } from "react-i18next";
import type { Tokens } from "../../api/shapes";
import { count, money } from "../../ui/amounts";
import { Icon } from "../../ui/icon";

/** What this conversation has cost so far, money first. */
export function Meter({ tokens, engine }: { tokens: Tokens; engine: "recipes" | "claude" }) {
  const { t, i18n } = useTranslation();
  const total = tokens.input + tokens.output;
  const detail =
    engine === "recipes" && total === 0
      ? t("meter.noModel")
      : t("meter.tokens", { tokens: count(total, i18n.language) });
  return (
    <p className="meter" title={t("meter.hint")}>
      <Icon name="coin" size={16} />
      <strong>{money(tokens.cost_usd_micros, i18n.language)}</strong>
      <span className="soft">· {detail}</span>
    </p>
  );
}
