/** This machine: what keeps agents inside what they were allowed, in words; the figures one click deeper. */
import { useTranslation } from "react-i18next";
import { useMe } from "../../api/queries";
import type { Me } from "../../api/shapes";
import { Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";
import { useTitle } from "../../ui/title";
import { Preferences } from "../shell/preferences";
import { ConnectionPart } from "./connection";
import { EndOfWorkspace } from "./end-of-workspace";
import "./settings.css";

type Sandbox = Me["sandbox"];

/** In the order in which they matter to a person. */
const LIMITS = [
  "wall",
  "memory",
  "cpu",
  "processes",
  "disk",
  "inodes",
  "files",
  "output",
  "network",
] as const;

export interface Limit {
  name: string;
  held: boolean;
  /** Why it is not enforced here, in the server's words. */
  why: string;
}

/** Every limit this machine was asked about. What is missing stands first. */
export function limitsOf(sandbox: Sandbox): Limit[] {
  const enforced = new Set(sandbox.enforced);
  const named = [...new Set([...LIMITS, ...enforced, ...Object.keys(sandbox.missing)])];
  return named
    .filter((name) => name !== "all" && (enforced.has(name) || name in sandbox.missing))
    .map((name) => ({ name, held: !(name in sandbox.missing), why: sandbox.missing[name] ?? "" }))
    .sort((one, other) => Number(one.held) - Number(other.held));
}

function Limits({ sandbox }: { sandbox: Sandbox }) {
  const { t } = useTranslation();
  const limits = limitsOf(sandbox);
  const missing = limits.filter((limit) => !limit.held);
  if (limits.length === 0) return null;
  return (
    <section className="machine-part">
      <h3>{t("machine.limits")}</h3>
      <p className="soft">
        {missing.length === 0 ? t("machine.allHeld") : t("machine.someMissing", { count: missing.length })}
      </p>
      <ul className="machine-limits">
        {limits.map((limit) => (
          <li key={limit.name} data-held={limit.held}>
            <Icon name={limit.held ? "check" : "warn"} size={16} />
            <span>
              <span className="visually-hidden">{t(limit.held ? "machine.held" : "machine.notHeld")}: </span>
              {t(`machine.limit.${limit.name}`, { defaultValue: limit.name })}
              {limit.why && (
                <details>
                  <summary>{t("machine.why")}</summary>
                  <p className="soft">{limit.why}</p>
                </details>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Corpus({ corpus }: { corpus: Sandbox["corpus"] }) {
  const { t } = useTranslation();
  const all = corpus ? corpus.held === corpus.total : false;
  return (
    <section className="machine-part">
      <h3>{t("machine.attacks")}</h3>
      {corpus ? (
        <>
          <p className={all ? "machine-score" : "machine-score machine-bad"}>
            <Icon name={all ? "check" : "warn"} />
            <strong>{t("machine.score", { held: corpus.held, total: corpus.total })}</strong>
            <span className="soft">
              <When at={corpus.at} />
            </span>
          </p>
          <p className="soft">{t(all ? "machine.scoreGood" : "machine.scoreBad")}</p>
        </>
      ) : (
        <p>{t("machine.notTried")}</p>
      )}
      <details className="machine-details">
        <summary>{t("machine.tryAgain")}</summary>
        <p className="soft">{t("machine.tryHow")}</p>
        <pre className="machine-command" tabIndex={0} role="group" aria-label={t("machine.command")}>
          make doctor
        </pre>
      </details>
    </section>
  );
}

export function Machine({ sandbox }: { sandbox: Sandbox }) {
  const { t } = useTranslation();
  const unknown = !sandbox.ok && !sandbox.backend;
  const state = sandbox.ok ? "works" : unknown ? "checking" : "stopped";
  return (
    <section className="card machine" aria-labelledby="machine-title">
      <h2 id="machine-title">{t("machine.title")}</h2>
      <div className={`machine-verdict machine-${state}`}>
        <Icon name={sandbox.ok ? "lock" : unknown ? "clock" : "warn"} size={24} />
        <div>
          <p>
            <strong>{t(`machine.${state}`)}</strong>
          </p>
          <p>{t(`machine.${state}Means`)}</p>
          {!sandbox.ok && sandbox.cure && <p className="machine-cure">{sandbox.cure}</p>}
        </div>
      </div>
      {sandbox.backend && (
        <section className="machine-part">
          <h3>{t("machine.wall")}</h3>
          <p>{t(`machine.backend.${sandbox.backend}`, { defaultValue: sandbox.backend })}</p>
          <details className="machine-details">
            <summary>{t("machine.more")}</summary>
            <p className="soft">
              {t(`machine.backendMore.${sandbox.backend}`, { defaultValue: sandbox.backend })}
            </p>
            {sandbox.note && <p className="soft">{sandbox.note}</p>}
          </details>
        </section>
      )}
      <Limits sandbox={sandbox} />
      {sandbox.backend && <Corpus corpus={sandbox.corpus} />}
    </section>
  );
}

export default function SettingsPage() {
  const { t } = useTranslation();
  const me = useMe().data;
  useTitle(t("settings.title"));
  return (
    <div className="settings">
      <h1 className="display-small">{t("settings.title")}</h1>
      {me ? (
        <>
          <ConnectionPart />
          <Machine sandbox={me.sandbox} />
          <section className="card screen-settings" aria-labelledby="screen-title">
            <h2 id="screen-title">{t("settings.screen")}</h2>
            <Preferences />
          </section>
          <EndOfWorkspace name={me.workspace.name} />
        </>
      ) : (
        <Skeleton lines={6} />
      )}
    </div>
  );
}
