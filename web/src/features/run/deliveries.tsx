import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Delivery, QueuedDelivery, Run } from "../../api/shapes";
import { Button } from "../../ui/button";
import { Icon, type IconName, Seal } from "../../ui/icon";
import { Markdown } from "../../ui/markdown";
import { exact, When } from "../../ui/time";

const CHANNEL_ICON: Record<string, IconName> = { inbox: "inbox", slack: "send", email: "mail" };

interface MessageProps {
  delivery: QueuedDelivery;
  receipt?: Delivery | undefined;
  /** Shows the beginning; a button shows the rest. */
  brief?: boolean | undefined;
  /** Of a run done again from its recording. */
  replayed?: boolean;
}

const BRIEF = 360; // characters that fit into the space of a brief message

/** One message exactly as it goes out, with the seal once it has really arrived. */
export function Message({ delivery, receipt, brief = false, replayed = false }: MessageProps) {
  const { t, i18n } = useTranslation();
  const [whole, setWhole] = useState(!brief || delivery.text.length < BRIEF);
  const said = (name: string, value: string) => {
    if (name === "at" && !Number.isNaN(Date.parse(value))) return exact(value, i18n.language);
    return name === "to" ? t(`channel.${value}`, { defaultValue: value }) : value;
  };
  const status = receipt?.status ?? delivery.status;
  const sent = status === "sent";
  return (
    <article className="message" data-status={status}>
      <header>
        <h3 className="message-channel">
          <Icon name={CHANNEL_ICON[delivery.channel] ?? "send"} size={16} />
          {t(`channel.${delivery.channel}`, { defaultValue: delivery.channel })}
        </h3>
        <span className="message-status">
          {t(`delivery.${replayed && status === "shown" ? "replayed" : status}`)}
          {receipt?.settled_at && sent && (
            <>
              {" "}
              · <When at={receipt.settled_at} />
            </>
          )}
        </span>
        {sent && (
          <span className="stamp">
            <Seal size={22} />
            {t("delivery.stamp")}
          </span>
        )}
      </header>
      <div className={whole ? "message-text" : "message-text message-brief"} inert={!whole}>
        <Markdown text={delivery.text} />
      </div>
      {!whole && (
        <Button kind="quiet" className="message-more" onClick={() => setWhole(true)}>
          {t("delivery.whole")}
        </Button>
      )}
      {(receipt?.detail || delivery.detail) && <p className="soft">{receipt?.detail || delivery.detail}</p>}
      {!brief && receipt && Object.keys(receipt.receipt).length > 0 && (
        <dl className="receipt">
          {Object.entries(receipt.receipt).map(([name, value]) => (
            <div key={name}>
              <dt>{t(`receipt.${name}`, { defaultValue: name })}</dt>
              <dd>{said(name, value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </article>
  );
}

interface MessagesProps {
  run: Run | undefined;
  receipts?: Delivery[];
  brief?: boolean;
}

export function Messages({ run, receipts = [], brief }: MessagesProps) {
  return (run?.deliveries ?? []).map((delivery) => (
    <Message
      key={delivery.id}
      delivery={delivery}
      brief={brief}
      replayed={run?.kind === "replay"}
      receipt={receipts.find((receipt) => receipt.id === delivery.id)}
    />
  ));
}

export function Checks({ run }: { run: Run | undefined }) {
  const { t } = useTranslation();
  const checks = run?.checks ?? [];
  if (checks.length === 0) return null;
  return (
    <ul className="checks" aria-label={t("run.checks")}>
      {checks.map((check, index) => (
        <li key={index} data-held={check.held}>
          <Icon name={check.held ? "check" : "cross"} size={16} />
          <span>
            <span className="visually-hidden">{check.held ? t("run.held") : t("run.notHeld")}: </span>
            <strong>{check.says}</strong>
            {!check.held && check.text !== check.says && <span className="soft"> {check.text}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
