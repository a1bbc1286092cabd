/** Every version of an agent, how any two differ, and one press back to an older one. */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { changeAgent } from "../../api/actions";
import { queries, useAgentVersions, useVersionDiff } from "../../api/queries";
import type { AgentCard, FileDiff, Version, VersionDiff } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Failure, Skeleton, useProblemText } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { Switch } from "../../ui/switch";
import { When } from "../../ui/time";
import { toast } from "../../ui/toast";
import { Files } from "../version/files";
import "./versions.css";

type Numbered = Version & { number: number };
const isNumbered = (version: Version): version is Numbered => version.number !== null;

function UnifiedFile({ file }: { file: FileDiff }) {
  const { t } = useTranslation();
  return (
    <details className="diff-file" open={file.unified !== "" && file.unified.length < 6000}>
      <summary>
        <Icon name="chevron" size={14} />
        <code>{file.name}</code>
        <span className="diff-count">
          {file.change !== "changed" && <em className="tag">{t(`diff.${file.change}`)}</em>}
          <span className="diff-added">+{file.added}</span>{" "}
          <span className="diff-removed">−{file.removed}</span>
        </span>
      </summary>
      {file.unified ? (
        <pre tabIndex={0} role="group" aria-label={file.name}>
          {file.unified.split("\n").map((line, index) => (
            <span key={index} className="diff-line" data-sign={line[0]}>
              {line || " "}
            </span>
          ))}
        </pre>
      ) : (
        <p className="soft">{t(file.cut ? "diff.tooLong" : "diff.noText")}</p>
      )}
      {file.unified && file.cut && <p className="soft">{t("diff.cut")}</p>}
    </details>
  );
}

function Sentences({
  title,
  rows,
}: {
  title: string;
  rows: readonly { change: "added" | "removed"; text: string }[];
}) {
  const { t } = useTranslation();
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className="diff-rows">
        {rows.map((row) => (
          <li key={row.change + row.text} data-change={row.change}>
            <span aria-hidden="true">{row.change === "added" ? "+" : "−"}</span>
            <span>
              <span className="visually-hidden">{t(`diff.${row.change}`)}: </span>
              {row.text}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Differences({ diff }: { diff: VersionDiff }) {
  const { t } = useTranslation();
  const { files, more_files, packages, permissions, schedule, contract } = diff.differences;
  const removed = (text: string) => ({ change: "removed" as const, text });
  const added = (text: string) => ({ change: "added" as const, text });
  const when = schedule
    ? [
        ...(schedule.before.length > 0 ? schedule.before : [t("plan.byHand")])
          .filter((text) => !schedule.after.includes(text))
          .map(removed),
        ...(schedule.after.length > 0 ? schedule.after : [t("plan.byHand")])
          .filter((text) => !schedule.before.includes(text))
          .map(added),
      ]
    : [];
  const promises = [...contract.weaker.map(removed), ...contract.stronger.map(added)];
  const nothing = files.length + packages.length + permissions.length + when.length + promises.length === 0;
  return (
    <div className="diff">
      {nothing && <p className="soft">{t("diff.nothing")}</p>}
      <Sentences title={t("diff.permissions")} rows={permissions} />
      <Sentences title={t("diff.when")} rows={when} />
      <Sentences title={t("diff.promises")} rows={promises} />
      <Sentences title={t("diff.packages")} rows={packages} />
      {files.length > 0 && (
        <section>
          <h3>{t("diff.code")}</h3>
          {files.map((file) => (
            <UnifiedFile key={file.name} file={file} />
          ))}
          {more_files > 0 && <p className="soft">{t("diff.moreFiles", { count: more_files })}</p>}
        </section>
      )}
    </div>
  );
}

function Compare({ agentId, versions }: { agentId: string; versions: Numbered[] }) {
  const { t } = useTranslation();
  const [older, setOlder] = useState(versions[1]?.number ?? 0);
  const [newer, setNewer] = useState(versions[0]?.number ?? 0);
  const diff = useVersionDiff(agentId, older, newer);
  const choose = (label: string, value: number, onChange: (value: number) => void) => (
    <label className="diff-choose">
      <span>{label}</span>
      <select className="input" value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {versions.map((version) => (
          <option key={version.id} value={version.number}>
            {t("agent.version", { number: version.number })}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <section className="card diff-card" aria-labelledby="diff-title">
      <h2 id="diff-title">{t("diff.title")}</h2>
      <div className="diff-chooses">
        {choose(t("diff.from"), older, setOlder)}
        {choose(t("diff.to"), newer, setNewer)}
      </div>
      {older === newer && <p className="soft">{t("diff.nothing")}</p>}
      {older !== newer && diff.isPending && <Skeleton />}
      {older !== newer && diff.error && <Failure problem={diff.error} onRetry={() => void diff.refetch()} />}
      {older !== newer && diff.data && <Differences diff={diff.data} />}
    </section>
  );
}

const isNewer = (version: Version, agent: AgentCard): boolean =>
  (version.number ?? 0) > (agent.version_number ?? 0);

/** A plan leaves a candidate behind when its code was written; only the newest may still be tried. */
const isListed = (version: Version, place: number): boolean => version.status !== "candidate" || place === 0;

function VersionRow({ version, agent, onUse }: { version: Version; agent: AgentCard; onUse: () => void }) {
  const { t } = useTranslation();
  const live = version.id === agent.version_id;
  return (
    <li className="version">
      <details>
        <summary>
          <strong>
            {version.number ? t("agent.version", { number: version.number }) : t("agent.candidate")}
          </strong>
          {live && <span className="badge badge-good">{t("agent.live")}</span>}
          {version.status === "failed" && <span className="badge badge-bad">{t("agent.failedVersion")}</span>}
          <When at={version.created_at} />
        </summary>
        <p className="soft version-made">
          {version.prompt ? t("diff.byModel", { prompt: version.prompt.slice(0, 12) }) : t("diff.byRecipe")}
        </p>
        <Files versionId={version.id} stamp="" />
      </details>
      {!live && version.number !== null && version.status === "promoted" && agent.version_id && (
        <Button icon={isNewer(version, agent) ? "play" : "refresh"} onClick={onUse}>
          {t(isNewer(version, agent) ? "diff.use" : "diff.back")}
        </Button>
      )}
    </li>
  );
}

/** Off unless the person says so; what went live by itself is noticed and told in the conversation. */
function RepairsGoLive({ agent }: { agent: AgentCard }) {
  const { t } = useTranslation();
  const { act } = useAction();
  const set = (on: boolean) =>
    void act(async () => {
      await changeAgent(agent.id, { repairs_go_live: on });
      await queries.invalidateQueries({ queryKey: ["agent", agent.id] });
    });
  return (
    <div className="repairs-go-live">
      <div>
        <strong>{t("mended.goLive")}</strong>
        <p className="soft">{t("mended.goLiveLead")}</p>
      </div>
      <Switch on={agent.repairs_go_live} label={t("mended.goLive")} onChange={set} />
    </div>
  );
}

export function Versions({ agent }: { agent: AgentCard }) {
  const { t } = useTranslation();
  const words = useProblemText();
  const versions = useAgentVersions(agent.id);
  const { act } = useAction();
  if (versions.isPending) return <Skeleton />;
  if (versions.error) return <Failure problem={versions.error} onRetry={() => void versions.refetch()} />;
  const items = versions.data.items;
  const numbered = items.filter(isNumbered).sort((one, other) => other.number - one.number);
  const go = async (id: string): Promise<void> => {
    await changeAgent(agent.id, { version: id });
    void queries.invalidateQueries({ queryKey: ["agent", agent.id] });
    void queries.invalidateQueries({ queryKey: ["agents"] });
  };
  const use = (version: Version) =>
    void act(async () => {
      const before = agent.version_id;
      await go(version.id);
      const undo = () => void go(before ?? "").catch((problem) => toast(words(problem), { bad: true }));
      toast(
        t(isNewer(version, agent) ? "diff.used" : "diff.wentBack", { number: version.number }),
        before ? { action: { label: t("undo"), run: undo } } : {},
      );
    });
  return (
    <>
      {agent.version_id && <RepairsGoLive agent={agent} />}
      <ul className="versions">
        {items.filter(isListed).map((version) => (
          <VersionRow key={version.id} version={version} agent={agent} onUse={() => use(version)} />
        ))}
      </ul>
      {numbered.length > 1 && <Compare key={numbered[0]?.number} agentId={agent.id} versions={numbered} />}
    </>
  );
}
