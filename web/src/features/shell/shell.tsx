import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet, useLocation } from "react-router";
import { useChanges } from "../../api/live";
import { useAgents, useMe } from "../../api/queries";
import { Icon, Seal } from "../../ui/icon";
import { Bell } from "./bell";
import { Preferences } from "./preferences";

/** On another screen the focus starts at its heading, as it would after loading a page. */
function useFocusOnArrival() {
  const { pathname } = useLocation();
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: arriving is the path changing
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    window.scrollTo(0, 0);
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [pathname]);
}

export function Shell() {
  const { t } = useTranslation();
  const sandbox = useMe().data?.sandbox;
  // Neither a gap nor a cure named: the check has not ended yet.
  const missing = sandbox && !sandbox.ok ? (sandbox.cure ?? Object.values(sandbox.missing)[0]) : undefined;
  const waiting = useAgents().data?.waiting ?? 0;
  useChanges();
  useFocusOnArrival();
  return (
    <>
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <header className="top">
        <Link to="/" className="brand" aria-label="Agent Builder">
          <Seal />
          <span>Agent Builder</span>
        </Link>
        <nav aria-label={t("nav.label")}>
          <NavLink to="/" end>
            {t("nav.build")}
          </NavLink>
          <NavLink to="/agents">
            {t("nav.agents")}
            {waiting > 0 && (
              <span className="count">
                <span aria-hidden="true">{waiting}</span>
                <span className="visually-hidden">{t("agents.waiting", { count: waiting })}</span>
              </span>
            )}
          </NavLink>
        </nav>
        <div className="top-tools">
          <Bell />
          <NavLink
            to="/settings"
            className="icon-button"
            aria-label={t("settings.title")}
            title={t("settings.title")}
          >
            <Icon name="settings" />
          </NavLink>
          <Preferences />
        </div>
      </header>
      {missing && (
        <div className="banner" role="status">
          <Icon name="warn" />
          <p>
            {t("sandbox.missing")} {missing} <Link to="/settings">{t("settings.look")}</Link>
          </p>
        </div>
      )}
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
    </>
  );
}
