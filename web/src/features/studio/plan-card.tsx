import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Plan } from "../../api/shapes";
import { count } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import { Planned } from "../../ui/time";

const PlanEdit = lazy(() =>
  import("../permission/plan-edit").then((module) => ({ default: module.PlanEdit })),
);

function Facts({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const zone = plan.agent_file.schedule?.timezone ?? "UTC";
  const next = plan.next_firings[0];
  return (
    <dl className="facts">
      <div>
        <dt>
          <Icon name="clock" size={16} /> {t("plan.when")}
        </dt>
        <dd>
          {plan.schedule_words ?? t("plan.byHand")}
          {next && (
            <small>
              {t("plan.first")} <Planned at={next} zone={zone} />
            </small>
          )}
        </dd>
      </div>
      <div>
        <dt>
          <Icon name="coin" size={16} /> {t("plan.cost")}
        </dt>
        <dd>
          <Estimate plan={plan} />
        </dd>
      </div>
      {plan.packages.length > 0 && (
        <div>
          <dt>
            <Icon name="package" size={16} /> {t("plan.packages")}
          </dt>
          <dd>{plan.packages.map((wish) => wish.name).join(", ")}</dd>
        </div>
      )}
    </dl>
  );
}

/** At most, where it is about runs; about, where it is about the build. A price nobody knows is said to be unknown. */
function Estimate({ plan }: { plan: Plan }) {
  const { t, i18n } = useTranslation();
  const said = plan.estimate;
  const amount = (value: number) => count(value, i18n.language);
  const money = (usdMicros: number) =>
    said.priced ? <Money usdMicros={usdMicros} /> : <span>{t("money.unknown")}</span>;
  return (
    <>
      {said.tokens_per_run === 0 && t("plan.freeRun")}
      {said.tokens_per_run > 0 &&
        said.tokens_per_month === 0 &&
        t("plan.paidByHand", { tokens: amount(said.tokens_per_run) })}
      {said.tokens_per_month > 0 && (
        <>
          {t("plan.paidRun", { tokens: amount(said.tokens_per_run) })} {money(said.cost_usd_micros_per_month)}
        </>
      )}
      {said.tokens_build > 0 && (
        <small>
          {t("plan.build", { tokens: amount(said.tokens_build) })} {money(said.cost_usd_micros_build)}
        </small>
      )}
      {said.seconds_per_run > 0 && (
        <small>{t("plan.seconds", { seconds: amount(Math.ceil(said.seconds_per_run)) })}</small>
      )}
    </>
  );
}

function Sentences({ title, items }: { title: string; items: string[] }) {
  if (items.length === 0) return null;
  return (
    <section className="plan-sentences">
      <h3>{title}</h3>
      <ul>
        {items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ul>
    </section>
  );
}

export function PlanCard({ plan, onReview }: { plan: Plan; onReview: () => void }) {
  const { t } = useTranslation();
  const open = plan.status === "proposed";
  const [editing, setEditing] = useState(false);
  return (
    <article className="card plan" aria-labelledby={`plan-${plan.id}`} data-status={plan.status}>
      <header>
        <p className="eyebrow">{t("plan.title")}</p>
        <h2 id={`plan-${plan.id}`} className="display-small">
          {plan.agent_file.agent.name}
        </h2>
        <p>{plan.summary}</p>
      </header>
      <Sentences title={t("plan.found")} items={plan.found} />
      <section>
        <h3>{t("plan.steps")}</h3>
        <ol className="plan-steps">
          {plan.steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </section>
      <Facts plan={plan} />
      <Sentences title={t("plan.wont")} items={plan.wont} />
      {plan.author_words && (
        <blockquote className="author-words">
          <p className="soft">{t("plan.authorWords")}</p>
          {plan.author_words}
        </blockquote>
      )}
      <footer>
        {open ? (
          <div className="actions">
            <Button kind="primary" icon="hand" onClick={onReview}>
              {t("plan.review")}
            </Button>
            <Button icon="pencil" onClick={() => setEditing(true)}>
              {t("edit.open")}
            </Button>
          </div>
        ) : (
          <p className="soft">
            <Icon name={plan.status === "approved" ? "check" : "cross"} size={16} />{" "}
            {t(`plan.${plan.status}`)}
          </p>
        )}
        {editing && (
          <Suspense fallback={null}>
            <PlanEdit plan={plan} onClose={() => setEditing(false)} />
          </Suspense>
        )}
      </footer>
    </article>
  );
}
