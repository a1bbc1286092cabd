/** Questions only a person can answer: one more place, one single write, packages nobody has looked at. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { decidePermission } from "../../api/actions";
import { queries, usePermissionRequests } from "../../api/queries";
import type { PermissionRequest } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Icon, type IconName } from "../../ui/icon";
import { toast } from "../../ui/toast";

type Kind = "host" | "write" | "package";
const ICONS: Record<Kind, IconName> = { host: "hand", write: "send", package: "package" };

const USUAL: Record<string, number> = { http: 80, https: 443, "": 443 };

/** Scheme, host and path as one address; the port only where it is not the usual one. */
export function placeOf(asked: Pick<PermissionRequest, "scheme" | "host" | "port" | "path">): string {
  const port = asked.port && asked.port !== USUAL[asked.scheme] ? `:${asked.port}` : "";
  return `${asked.scheme ? `${asked.scheme}://` : ""}${asked.host}${port}${asked.path}`;
}

function Place({ asked }: { asked: PermissionRequest }) {
  const { t } = useTranslation();
  const kind = asked.kind ?? "host";
  return (
    <dl className="asked-place">
      <div>
        <dt>{t("parked.where")}</dt>
        <dd className="permission-detail">{placeOf(asked)}</dd>
      </div>
      {asked.method && (
        <div>
          <dt>{t("parked.how")}</dt>
          <dd>
            <span className="permission-detail">{asked.method}</span>{" "}
            {t(["GET", "HEAD", "OPTIONS"].includes(asked.method) ? "parked.reads" : "parked.writes")}
          </dd>
        </div>
      )}
      {kind === "host" && (
        <div>
          <dt>{t("parked.scope")}</dt>
          <dd>{t("parked.onlyThis")}</dd>
        </div>
      )}
    </dl>
  );
}

function Packages({ asked }: { asked: PermissionRequest }) {
  return (
    <ul className="asked-packages">
      {(asked.packages ?? []).map((name, index) => (
        <li key={name}>
          <Icon name="package" size={16} />
          <strong>{name.replace("==", " ")}</strong>
          <span>{asked.reasons?.[index] ?? ""}</span>
        </li>
      ))}
    </ul>
  );
}

interface CardProps {
  asked: PermissionRequest | undefined;
  /** Said when the question itself is no longer open. */
  otherwise?: string;
  /** Whether what asks is somewhere else and can be gone to. */
  linked?: boolean;
}

export function PermissionCard({ asked, otherwise = "", linked = false }: CardProps) {
  const { t } = useTranslation();
  const { busy, act } = useAction();
  const kind: Kind = asked?.kind ?? "host";
  const decide = (decision: "allow" | "deny") =>
    act(async () => {
      if (!asked) return;
      await decidePermission(asked.id, decision);
      toast(t(`parked.${decision === "allow" ? "allowed" : "denied"}.${kind}`));
      for (const name of ["permission-requests", "run", "agents", "notices", "conversation"]) {
        void queries.invalidateQueries({ queryKey: [name] });
      }
    });
  return (
    <section className="parked" data-kind={kind} aria-label={t(`parked.title.${kind}`)}>
      <Icon name={ICONS[kind]} />
      <div>
        <h3>{t(`parked.title.${kind}`)}</h3>
        <p>{asked?.sentence || otherwise}</p>
        {asked?.warning && (
          <p className="note note-bad">
            <Icon name="warn" size={18} />
            <span>{asked.warning}</span>
          </p>
        )}
        {asked && kind !== "package" && <Place asked={asked} />}
        {asked && kind === "package" && <Packages asked={asked} />}
        {asked && (
          <div className="actions">
            <Button kind="primary" busy={busy} onClick={() => void decide("allow")}>
              {t(`parked.allow.${kind}`)}
            </Button>
            <Button busy={busy} onClick={() => void decide("deny")}>
              {t(`parked.deny.${kind}`)}
            </Button>
            {linked && asked.run_id && <Link to={`/runs/${asked.run_id}`}>{t("agents.look")}</Link>}
          </div>
        )}
      </div>
    </section>
  );
}

/** The one question of a run that waits. */
export function ParkedQuestion({
  requestId: id,
  ...rest
}: {
  requestId: string | null;
} & Omit<CardProps, "asked">) {
  const asked = usePermissionRequests().data?.items.find((request) => request.id === id);
  return <PermissionCard asked={asked} {...rest} />;
}

/** Open questions about the packages of one version or, without one, of an agent. */
export function PackageQuestions({
  agentId,
  versionId,
}: {
  agentId: string | null;
  versionId?: string | null;
}) {
  const open = usePermissionRequests().data?.items ?? [];
  return open
    .filter(
      (asked) =>
        asked.kind === "package" && (versionId ? asked.version_id === versionId : asked.agent_id === agentId),
    )
    .map((asked) => <PermissionCard key={asked.id} asked={asked} />);
}
