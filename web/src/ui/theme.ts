/** Light or dark follows the system until the person chooses. */
export type Theme = "system" | "light" | "dark";
const CHOICE = "ab-theme";

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(CHOICE);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function startTheme(): void {
  chooseTheme(chosenTheme());
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(CHOICE);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(CHOICE, theme);
    document.documentElement.dataset.theme = theme;
  }
}
