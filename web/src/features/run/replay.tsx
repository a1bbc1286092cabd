/** A run done again on what was kept of it: asking for one, and what one showed. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { replayRun } from "../../api/actions";
import { useAgentVersions, useRun } from "../../api/queries";
import type { Difference, Run, Version } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";
import "./replay.css";
import { tapeWords } from "./outside";
import { isOver } from "./words";

/** The versions a run can be done again on, the run's own first; those that were never finished are left out. */
export function replayable(versions: readonly Version[], own: string): Version[] {
  const usable = versions.filter((version) => version.id === own || version.number !== null);
  return usable.sort((one, other) => Number(other.id === own) - Number(one.id === own));
}

function VersionChoice({
  run,
  value,
  onChange,
}: {
  run: Run;
  value: string;
  onChange: (id: string) => void;
}) {
  const { t } = useTranslation();
  const versions = replayable(useAgentVersions(run.agent_id).data?.items ?? [], run.version_id);
  if (versions.length < 2) return null;
  const name = (version: Version) =>
    version.number ? t("agent.version", { number: version.number }) : t("agent.candidate");
  return (
    <label className="select replay-version">
      <span className="soft">{t("replay.version")}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {versions.map((version) => (
          <option key={version.id} value={version.id === run.version_id ? "" : version.id}>
            {version.id === run.version_id ? t("replay.same", { version: name(version) }) : name(version)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Offered on every run whose exchanges were kept. */
export function Replay({ run }: { run: Run }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { busy, act } = useAction();
  const [version, setVersion] = useState("");
  if (!isOver(run) || run.kind === "replay" || run.tape !== "full" || tapeWords(run) !== "tape.full") {
    return null;
  }
  const start = () =>
    act(async () => {
      const { id } = await replayRun(run.id, version || null);
      await navigate(`/runs/${id}`);
    });
  return (
    <section className="card replay">
      <h2>{t("replay.title")}</h2>
      <p className="soft">{t("replay.lead")}</p>
      <div className="actions">
        <VersionChoice run={run} value={version} onChange={setVersion} />
        <Button icon="refresh" busy={busy} onClick={() => void start()}>
          {t("replay.start")}
        </Button>
      </div>
    </section>
  );
}

export function DifferenceList({ differences }: { differences: readonly Difference[] }) {
  const { t } = useTranslation();
  return (
    <ol className="differences">
      {differences.map((difference, index) => (
        <li key={index}>
          <h3>
            <span className="badge">{t(`replay.kind.${difference.kind}`)}</span> {difference.text}
          </h3>
          {(difference.before || difference.after) && (
            <div className="difference-sides">
              <figure>
                <figcaption>{t("replay.before")}</figcaption>
                <pre tabIndex={0} role="group" aria-label={t("replay.before")}>
                  {difference.before || t("replay.nothing")}
                </pre>
              </figure>
              <figure>
                <figcaption>{t("replay.after")}</figcaption>
                <pre tabIndex={0} role="group" aria-label={t("replay.after")}>
                  {difference.after || t("replay.nothing")}
                </pre>
              </figure>
            </div>
          )}
        </li>
      ))}
    </ol>
  );
}

/** The mark on a replay, and what it found. */
export function Replayed({ run }: { run: Run }) {
  const { t } = useTranslation();
  const before = useRun(run.replay_of).data;
  if (run.kind !== "replay") return null;
  const differences = run.differences ?? [];
  return (
    <section className="card replayed" aria-label={t("replay.mark")}>
      <p className="replay-mark">
        <Icon name="refresh" />
        <strong>{t("replay.mark")}</strong>
        {run.replay_of && (
          <Link to={`/runs/${run.replay_of}`}>
            {t("replay.original")}
            {before?.finished_at && (
              <>
                {" "}
                · <When at={before.finished_at} />
              </>
            )}
          </Link>
        )}
      </p>
      {run.same === true && (
        <p className="replay-same">
          <Icon name="check" /> {t("replay.wasSame")}
        </p>
      )}
      {isOver(run) && run.same === null && differences.length === 0 && (
        <p className="soft">{t("replay.notCompared")}</p>
      )}
      {differences.length > 0 && (
        <>
          <h2>{t("replay.differs", { count: differences.length })}</h2>
          <DifferenceList differences={differences} />
        </>
      )}
    </section>
  );
}
