/** Language: follows the browser until the person chooses; only the chosen catalogue is loaded. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { Language } from "../api/shapes";
import { type Particle, withParticle } from "./particles";

const CHOICE = "ab-language";
const catalogues: Record<Language, () => Promise<{ default: Record<string, unknown> }>> = {
  ko: () => import("./ko.json"),
  en: () => import("./en.json"),
};

export function chosenLanguage(): Language {
  const kept = localStorage.getItem(CHOICE);
  if (kept === "ko" || kept === "en") return kept;
  const first = navigator.languages.find((tag) => /^(ko|en)\b/i.test(tag)) ?? "en";
  return first.toLowerCase().startsWith("ko") ? "ko" : "en";
}

async function load(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation")) {
    i18next.addResourceBundle(language, "translation", (await catalogues[language]()).default);
  }
  document.documentElement.lang = language;
}

export async function startLanguage(language: Language = chosenLanguage()): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
    partialBundledLanguages: true,
  });
  i18next.services.formatter?.add("with", (value, _language, options) =>
    withParticle(String(value), String(options.pair) as Particle),
  );
  await load(language);
  await i18next.changeLanguage(language);
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(CHOICE, language);
  await load(language);
  await i18next.changeLanguage(language);
}
