import { useTranslation } from "react-i18next";
import { useAgentRuns, useRun } from "../../api/queries";
import type { AgentCard, HostContact } from "../../api/shapes";
import { Icon } from "../../ui/icon";
import { Planned, useCity } from "../../ui/time";

export function ScheduleTab({ agent }: { agent: AgentCard }) {
  const { t } = useTranslation();
  const city = useCity();
  const schedule = agent.agent_file.schedule;
  if (!schedule) return <p>{t("agent.noSchedule")}</p>;
  const next = agent.next_firings ?? (agent.next_at ? [agent.next_at] : []);
  return (
    <div className="columns">
      <section>
        <h2>{t("agent.when")}</h2>
        <p className="schedule-words">{agent.schedule_words}</p>
        <p className="soft">
          {city(schedule.timezone)} · <code>{schedule.cron}</code>
        </p>
        <ul className="plain-list">
          <li>{t(`sheet.missed.${schedule.missed}`)}</li>
          <li>{t(`sheet.overlap.${schedule.overlap}`)}</li>
        </ul>
      </section>
      <section>
        <h2>{t("agent.nextFirings")}</h2>
        {!agent.enabled && <p className="soft">{t("agents.off")}</p>}
        {agent.enabled && (
          <ol className="firings">
            {next.slice(0, 5).map((at) => (
              <li key={at}>
                <Planned at={at} zone={schedule.timezone} />
              </li>
            ))}
          </ol>
        )}
      </section>
    </div>
  );
}

/** What was allowed beside what the last run really used. */
export function Permissions({ agent }: { agent: AgentCard }) {
  const { t } = useTranslation();
  const lastId = useAgentRuns(agent.id, 6).data?.pages[0]?.items.find((run) => run.kind !== "test")?.id;
  const run = useRun(lastId ?? agent.last_run?.id).data;
  const { manifest } = agent.agent_file;
  const used = (host: string): HostContact[] => (run?.hosts ?? []).filter((contact) => contact.host === host);
  const hosts = Map.groupBy(manifest.hosts, (rule) => `${rule.effect} ${rule.host}`);
  const requests = (host: string): string => {
    const count = used(host).reduce((sum, each) => sum + each.requests, 0);
    return count === 0 ? t("agent.unused") : t("agent.requests", { count });
  };
  const refused = (run?.hosts ?? []).filter((contact) => contact.verdict === "refused");
  return (
    <>
      <div className="table-scroll">
        <table className="grants">
          <thead>
            <tr>
              <th scope="col">{t("agent.granted")}</th>
              <th scope="col">{t("agent.used")}</th>
            </tr>
          </thead>
          <tbody>
            {[...hosts].map(([name, rules]) => (
              <tr key={name}>
                <td>
                  <strong>{t(`agent.effect.${rules[0]?.effect ?? "read"}`)}</strong> {rules[0]?.host}
                  {rules.map((rule) => (
                    <span key={rule.path} className="grant-part soft">
                      <code>{rule.path || "/"}</code> {rule.why}
                    </span>
                  ))}
                </td>
                <td>{requests(rules[0]?.host ?? "")}</td>
              </tr>
            ))}
            {manifest.channels.map((channel) => (
              <tr key={channel.kind}>
                <td>
                  <strong>{t("agent.effect.write")}</strong> {t(`channel.${channel.kind}`)}
                </td>
                <td>
                  {t("agent.messages", {
                    count: (run?.deliveries ?? []).filter((each) => each.channel === channel.kind).length,
                  })}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {refused.length > 0 && (
        <div className="note note-bad">
          <Icon name="warn" />
          <p>{t("agent.refused", { hosts: refused.map((each) => each.host).join(", ") })}</p>
        </div>
      )}
    </>
  );
}
