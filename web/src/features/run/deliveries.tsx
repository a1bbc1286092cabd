import { useTranslation } from "react-i18next";
import type { Delivery, QueuedDelivery, Run } from "../../api/shapes";
import { Icon, type IconName, Seal } from "../../ui/icon";
import { Markdown } from "../../ui/markdown";
import { When } from "../../ui/time";

const CHANNEL_ICON: Record<string, IconName> = { inbox: "inbox", slack: "send", email: "mail" };

interface MessageProps {
  delivery: QueuedDelivery;
  receipt?: Delivery | undefined;
}

/** One message exactly as it goes out, with the seal once it has really arrived. */
export function Message({ delivery, receipt }: MessageProps) {
  const { t } = useTranslation();
  const status = receipt?.status ?? delivery.status;
  const sent = status === "sent";
  return (
    <article className="message" data-status={status}>
      <header>
        <span className="message-channel">
          <Icon name={CHANNEL_ICON[delivery.channel] ?? "send"} size={16} />
          {t(`channel.${delivery.channel}`, { defaultValue: delivery.channel })}
        </span>
        <span className="message-status">
          {t(`delivery.${status}`)}
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
      <Markdown text={delivery.text} />
      {(receipt?.detail || delivery.detail) && <p className="soft">{receipt?.detail || delivery.detail}</p>}
      {receipt && Object.keys(receipt.receipt).length > 0 && (
        <dl className="receipt">
          {Object.entries(receipt.receipt).map(([name, value]) => (
            <div key={name}>
              <dt>{t(`receipt.${name}`, { defaultValue: name })}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </article>
  );
}

export function Messages({ run, receipts = [] }: { run: Run | undefined; receipts?: Delivery[] }) {
  return (run?.deliveries ?? []).map((delivery) => (
    <Message
      key={delivery.id}
      delivery={delivery}
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
            {check.text && check.text !== check.says && <span className="soft"> {check.text}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
