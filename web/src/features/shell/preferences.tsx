import { useState } from "react";
import { useTranslation } from "react-i18next";
import { chooseLanguage } from "../../i18n";
import { IconButton } from "../../ui/button";
import { chooseTheme, chosenTheme, type Theme } from "../../ui/theme";

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICON = { system: "contrast", light: "sun", dark: "moon" } as const;

export function Preferences() {
  const { t, i18n } = useTranslation();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const other = i18n.language === "ko" ? "en" : "ko";
  return (
    <div className="preferences">
      <button
        type="button"
        className="language"
        lang={other}
        title={t("language.switch")}
        onClick={() => void chooseLanguage(other)}
      >
        {other === "ko" ? "한" : "EN"}
        <span className="visually-hidden"> {t("language.switch")}</span>
      </button>
      <IconButton
        icon={ICON[theme]}
        label={t(`theme.${theme}`)}
        onClick={() => {
          chooseTheme(NEXT[theme]);
          setTheme(NEXT[theme]);
        }}
      />
    </div>
  );
}
