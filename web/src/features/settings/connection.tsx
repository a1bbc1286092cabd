/** Claude with the person's own key: typed once, tried out at once, never shown again. */
import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { connectClaude, disconnectClaude } from "../../api/actions";
import { queries, useConnections } from "../../api/queries";
import type { Connection, Connections } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { count } from "../../ui/amounts";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/dialog";
import { useProblemText } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import { When } from "../../ui/time";
import { toast } from "../../ui/toast";

const fresh = () => queries.invalidateQueries({ queryKey: ["connections"] });

function State({ line }: { line: Connection }) {
  const { t, i18n } = useTranslation();
  if (line.state === "testing") {
    return (
      <p className="connection-state" role="status">
        <Icon name="clock" size={18} /> {t("connection.testing")}
      </p>
    );
  }
  const failed = line.state === "failed";
  return (
    <div className={failed ? "note note-bad" : "note note-good"} role="status">
      <Icon name={failed ? "warn" : "check"} />
      <div>
        <p>{failed ? line.problem : t("connection.working")}</p>
        <p className="soft">
          …{line.hint} · {line.model}
          {line.tested_at && (
            <>
              {" · "}
              <When at={line.tested_at} />
            </>
          )}
        </p>
        {!failed && (
          <p className="soft">
            {t("connection.testCost", { tokens: count(line.tokens, i18n.language) })}{" "}
            {line.cost_usd_micros === null ? t("money.unknown") : <Money usdMicros={line.cost_usd_micros} />}
          </p>
        )}
      </div>
    </div>
  );
}

function KeyForm({ known, model }: { known: Connection | undefined; model: string }) {
  const { t } = useTranslation();
  const words = useProblemText();
  const base = useId();
  const [key, setKey] = useState("");
  const [wanted, setWanted] = useState(known?.model ?? "");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    setProblem("");
    try {
      await connectClaude(key.trim() || null, wanted.trim() || null);
      setKey("");
      await fresh();
    } catch (reason) {
      setProblem(words(reason));
    }
    setBusy(false);
  };
  return (
    <form
      className="connection-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className="field">
        <label htmlFor={`${base}-key`}>{t(known ? "connection.otherKey" : "connection.key")}</label>
        <input
          id={`${base}-key`}
          className="input"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="sk-ant-…"
          aria-describedby={`${base}-why`}
          aria-invalid={problem !== "" || undefined}
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <p className="soft" id={`${base}-why`}>
          {t("connection.keyWhy")}
        </p>
        {problem && (
          <p className="field-problem" role="alert">
            {problem}
          </p>
        )}
      </div>
      <details className="connection-model">
        <summary>{t("connection.model")}</summary>
        <div className="field">
          <label htmlFor={`${base}-model`}>{t("connection.modelName")}</label>
          <input
            id={`${base}-model`}
            className="input"
            spellCheck={false}
            autoComplete="off"
            placeholder={model}
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
        </div>
      </details>
      <Button
        kind="primary"
        type="submit"
        busy={busy}
        disabled={!key.trim() && (!known || wanted.trim() === known.model)}
      >
        {t(known ? "connection.testAgain" : "connection.connect")}
      </Button>
    </form>
  );
}

function Disconnect() {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  const { busy, act } = useAction();
  const end = () =>
    act(async () => {
      await disconnectClaude();
      await fresh();
      void queries.invalidateQueries({ queryKey: ["me"] });
      setAsking(false);
      toast(t("connection.gone"));
    });
  return (
    <>
      <Button kind="quiet" onClick={() => setAsking(true)}>
        {t("connection.disconnect")}
      </Button>
      {asking && (
        <Confirm
          title={t("connection.sure")}
          yes={t("connection.disconnect")}
          busy={busy}
          onYes={() => void end()}
          onNo={() => setAsking(false)}
        >
          <p>{t("connection.sureWhat")}</p>
        </Confirm>
      )}
    </>
  );
}

export function ConnectionCard({ connections }: { connections: Connections }) {
  const { t } = useTranslation();
  const known = connections.items[0];
  return (
    <section className="card connection" id="claude" aria-labelledby="connection-title">
      <h2 id="connection-title">{t("connection.title")}</h2>
      <p className="soft">{t("connection.lead")}</p>
      {!known && connections.operator && <p>{t("connection.operator")}</p>}
      {!connections.wanted && <p className="note">{t("connection.unwanted")}</p>}
      {known && <State line={known} />}
      <KeyForm key={known?.typed_at ?? "none"} known={known} model={connections.model} />
      {known && <Disconnect />}
    </section>
  );
}

export function ConnectionPart() {
  const connections = useConnections().data;
  return connections ? <ConnectionCard connections={connections} /> : null;
}
