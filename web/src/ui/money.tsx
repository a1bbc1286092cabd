import { useTranslation } from "react-i18next";
import { dollars, money } from "./amounts";
import { WON_PER_DOLLAR } from "./rates";

/** An amount in the reader's own currency; what is billed, and how it was changed, on hover. */
export function Money({ usdMicros }: { usdMicros: number }) {
  const { t, i18n } = useTranslation();
  const billed = dollars(usdMicros, i18n.language);
  const how = t("money.rate", {
    billed,
    won: Math.round(WON_PER_DOLLAR.rate).toLocaleString(i18n.language),
    day: WON_PER_DOLLAR.day,
  });
  const changed = i18n.language === "ko" && usdMicros !== 0;
  return <span title={changed ? how : undefined}>{money(usdMicros, i18n.language)}</span>;
}
