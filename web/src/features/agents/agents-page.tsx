import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { markDeliveryRead } from "../../api/actions";
import { queries, useAgents, useInbox } from "../../api/queries";
import type { AgentCard as Card, DeliveryLine as Delivery } from "../../api/shapes";
import { Sheet } from "../../ui/dialog";
import { Empty, Failure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";
import { useTitle } from "../../ui/title";
import { Artifacts } from "../run/artifacts";
import { Message } from "../run/deliveries";
import { gist } from "../run/words";
import { AgentCard } from "./agent-card";
import { matches } from "./jamo";

function Report({ delivery, onClose }: { delivery: Delivery; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Sheet
      title={delivery.title}
      lead={delivery.agent_name === delivery.title ? undefined : delivery.agent_name}
      onClose={onClose}
    >
      <Message delivery={{ ...delivery, status: "sent" }} receipt={delivery} />
      <Artifacts run={{ id: delivery.run_id, status: "succeeded" }} />
      <p>
        <Link to={`/runs/${delivery.run_id}`}>{t("run.open")}</Link>
      </p>
    </Sheet>
  );
}

function Inbox() {
  const { t } = useTranslation();
  const inbox = useInbox();
  const [open, setOpen] = useState<Delivery | null>(null);
  const items = inbox.data?.items ?? [];
  const read = (delivery: Delivery) => {
    setOpen(delivery);
    if (delivery.read_at) return;
    void markDeliveryRead(delivery.id)
      .then(() => queries.invalidateQueries({ queryKey: ["deliveries"] }))
      .catch(() => undefined);
  };
  return (
    <section className="inbox" aria-labelledby="inbox-title">
      <h2 id="inbox-title">{t("inbox.title")}</h2>
      {inbox.isPending && <Skeleton lines={4} />}
      {inbox.error && <Failure problem={inbox.error} onRetry={() => void inbox.refetch()} />}
      {inbox.data && items.length === 0 && <p className="soft">{t("inbox.empty")}</p>}
      <ul>
        {items.map((delivery) => (
          <li key={delivery.id} data-unread={!delivery.read_at}>
            <button type="button" onClick={() => read(delivery)}>
              <strong>{delivery.title}</strong>
              <span className="inbox-line">{gist(delivery.text)}</span>
              <small>
                {delivery.agent_name ?? ""} · <When at={delivery.at} />
              </small>
              {!delivery.read_at && <span className="visually-hidden">{t("inbox.unread")}</span>}
            </button>
          </li>
        ))}
      </ul>
      {open && <Report delivery={open} onClose={() => setOpen(null)} />}
    </section>
  );
}

type Sort = "urgent" | "name" | "next";

function ordered(agents: Card[], sort: Sort): Card[] {
  const list = [...agents];
  if (sort === "name") return list.sort((one, other) => one.name.localeCompare(other.name));
  if (sort === "next")
    return list.sort((one, other) => (one.next_at ?? "~").localeCompare(other.next_at ?? "~"));
  return list.sort(
    (one, other) => other.waiting.length - one.waiting.length || (one.updated_at < other.updated_at ? 1 : -1),
  );
}

function Tools({
  onFind,
  sort,
  onSort,
}: {
  onFind: (text: string) => void;
  sort: Sort;
  onSort: (sort: Sort) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className="agents-tools">
      <label className="search">
        <Icon name="search" size={16} />
        <span className="visually-hidden">{t("agents.search")}</span>
        <input
          type="search"
          placeholder={t("agents.search")}
          onChange={(event) => onFind(event.target.value)}
        />
      </label>
      <label className="select">
        <span className="visually-hidden">{t("agents.sort")}</span>
        <select value={sort} onChange={(event) => onSort(event.target.value as Sort)}>
          {(["urgent", "next", "name"] as const).map((each) => (
            <option key={each} value={each}>
              {t(`agents.sortBy.${each}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

export default function AgentsPage() {
  const { t } = useTranslation();
  const agents = useAgents();
  const [wanted, setWanted] = useState("");
  const [sort, setSort] = useState<Sort>("urgent");
  useTitle(t("nav.agents"));
  const all = agents.data?.items ?? [];
  const shown = ordered(
    all.filter((agent) => matches(`${agent.name} ${agent.summary}`, wanted)),
    sort,
  );
  const waiting = agents.data?.waiting ?? 0;
  return (
    <div className="agents">
      <section aria-labelledby="agents-title">
        <header className="agents-head">
          <h1 id="agents-title" className="display-small">
            {t("nav.agents")}
          </h1>
          {waiting > 0 && (
            <p className="badge badge-wait">
              <Icon name="hand" size={14} />
              {t("agents.waiting", { count: waiting })}
            </p>
          )}
        </header>
        {all.length > 5 && <Tools onFind={setWanted} sort={sort} onSort={setSort} />}
        {agents.isPending && <Skeleton lines={6} />}
        {agents.error && <Failure problem={agents.error} onRetry={() => void agents.refetch()} />}
        {agents.data && all.length === 0 && (
          <Empty icon="spark" title={t("agents.none")}>
            <p>
              <Link to="/" className="button button-primary">
                {t("agents.first")}
              </Link>
            </p>
          </Empty>
        )}
        {all.length > 0 && shown.length === 0 && <p className="soft">{t("agents.noneFound")}</p>}
        <ul className="agent-cards">
          {shown.map((agent) => (
            <AgentCard key={agent.id} agent={agent} />
          ))}
        </ul>
      </section>
      <Inbox />
    </div>
  );
}
