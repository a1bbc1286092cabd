import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useConnections, useMe } from "../../api/queries";
import type { Tokens } from "../../api/shapes";
import { count } from "../../ui/amounts";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";

/** What this conversation has cost so far, money first, and how near the month's cap is. */
export function Meter({ tokens, engine }: { tokens: Tokens; engine: "recipes" | "claude" }) {
  const { t, i18n } = useTranslation();
  const month = useMe().data?.month;
  const total = tokens.input + tokens.output;
  const free = engine === "recipes" && total === 0;
  const cap = t("meter.cap", {
    spent: count(month?.spent_tokens ?? 0, i18n.language),
    cap: count(month?.cap_tokens ?? 0, i18n.language),
  });
  return (
    <div className="meter" title={t("meter.hint")}>
      <Icon name="coin" size={16} />
      {/* Tokens without a price are not free. */}
      <strong>{tokens.priced ? <Money usdMicros={tokens.cost_usd_micros} /> : t("money.unknown")}</strong>
      <span className="soft">
        · {free ? t("meter.noModel") : t("meter.tokens", { tokens: count(total, i18n.language) })}
      </span>
      {!free && month && (
        <progress
          className="meter-bar"
          value={month.spent_tokens}
          max={Math.max(1, month.cap_tokens)}
          aria-label={cap}
          title={cap}
        />
      )}
    </div>
  );
}

/** One line to where a model is connected; nothing where that would change nothing. */
export function ConnectLink() {
  const { t } = useTranslation();
  const connections = useConnections().data;
  if (!connections?.wanted || connections.items[0]?.state === "working") return null;
  return (
    <Link className="connect-link" to="/settings#claude">
      {t("connection.offer")}
    </Link>
  );
}
