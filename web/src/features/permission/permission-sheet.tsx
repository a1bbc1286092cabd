import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import { approvePlan } from "../../api/actions";
import { Problem } from "../../api/client";
import { queries } from "../../api/queries";
import type { Plan } from "../../api/shapes";
import { Button } from "../../ui/button";
import { Sheet } from "../../ui/dialog";
import { useProblemText } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { ORDER, type Row, rowsOf, type SecretField, secretsOf } from "./rows";

function RowLine({ row }: { row: Row }) {
  const { t } = useTranslation();
  return (
    <li className="permission-row">
      <Icon name={row.icon} />
      <div>
        <p className="permission-what">
          {row.what}
          {row.isNew && <em className="tag tag-seal">{t("sheet.new")}</em>}
        </p>
        {row.detail && <p className="permission-detail">{row.detail}</p>}
        {row.why && <p className="soft">{row.why}</p>}
        {row.parts && (
          <ul className="permission-parts">
            {row.parts.map((part) => (
              <li key={part.path + part.methods}>
                <span className="permission-detail">
                  {part.methods} {part.path}
                </span>
                <span className="soft">{part.why}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

/** A reviewer that cannot tell says so in these words; all else it says is a difference from the plan. */
const DOUBT = /모르겠어요|알 수 없어요|cannot tell|can't tell/i;

function Findings({ findings }: { findings: readonly string[] }) {
  const sure = findings.filter((finding) => !DOUBT.test(finding));
  const doubts = findings.filter((finding) => DOUBT.test(finding));
  return (
    <>
      {[sure, doubts].map((each, index) =>
        each.length > 0 ? (
          <div key={index} className={each === sure ? "note note-bad" : "note note-wait"} role="alert">
            <Icon name="warn" />
            <ul>
              {each.map((finding) => (
                <li key={finding}>{finding}</li>
              ))}
            </ul>
          </div>
        ) : null,
      )}
    </>
  );
}

interface SecretsProps {
  fields: SecretField[];
  values: Record<string, string>;
  problems: Record<string, string>;
  onChange: (name: string, value: string) => void;
}

function Secrets({ fields, values, problems, onChange }: SecretsProps) {
  const { t } = useTranslation();
  const base = useId();
  return (
    <section className="permission-group permission-secrets">
      <h3>{t("sheet.secrets")}</h3>
      <p className="soft">{t("sheet.secretsWhy")}</p>
      {fields.map((field) => (
        <div key={field.name} className="field">
          <label htmlFor={`${base}-${field.name}`}>{field.name}</label>
          <p className="soft" id={`${base}-${field.name}-why`}>
            {field.why} {field.host && t("sheet.onlyTo", { host: field.host })}
          </p>
          <input
            id={`${base}-${field.name}`}
            className="input"
            type="password"
            autoComplete="off"
            spellCheck={false}
            aria-describedby={`${base}-${field.name}-why`}
            aria-invalid={field.name in problems || undefined}
            value={values[field.name] ?? ""}
            onChange={(event) => onChange(field.name, event.target.value)}
          />
          {problems[field.name] && (
            <p className="field-problem" role="alert">
              {problems[field.name]}
            </p>
          )}
        </div>
      ))}
    </section>
  );
}

interface Props {
  plan: Plan;
  onDone: () => void;
  onChange: () => void;
  onLater: () => void;
}

export function PermissionSheet({ plan, onDone, onChange, onLater }: Props) {
  const { t } = useTranslation();
  const words = useProblemText();
  const [values, setValues] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const rows = rowsOf(plan, t);
  const fields = secretsOf(plan);
  const missing = fields.some((field) => !(values[field.name] ?? "").trim());

  const allow = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const typed = Object.fromEntries(fields.map(({ name }) => [name, (values[name] ?? "").trim()]));
      await approvePlan(plan.id, plan.manifest_hash, typed);
      void queries.invalidateQueries({ queryKey: ["conversation", plan.conversation_id] });
      void queries.invalidateQueries({ queryKey: ["agents"] });
      onDone();
    } catch (reason) {
      setProblem(reason);
      setBusy(false);
      if (reason instanceof Problem && reason.status === 409) {
        void queries.invalidateQueries({ queryKey: ["conversation", plan.conversation_id] });
      }
    }
  };

  return (
    <Sheet
      title={t("sheet.title", { name: plan.agent_file.agent.name })}
      lead={t("sheet.lead")}
      onClose={onLater}
      foot={
        <>
          <Findings findings={plan.findings} />
          {problem !== null && (
            <p className="field-problem" role="alert">
              {words(problem)}
            </p>
          )}
          <div className="sheet-actions">
            <Button
              kind="primary"
              className="grow"
              busy={busy}
              disabled={missing}
              onClick={() => void allow()}
            >
              {t("sheet.allow")}
            </Button>
            <Button onClick={onChange}>{t("sheet.change")}</Button>
            <Button kind="quiet" onClick={onLater}>
              {t("sheet.later")}
            </Button>
          </div>
          {missing && <p className="soft">{t("sheet.missing")}</p>}
        </>
      }
    >
      {ORDER.filter((group) => rows[group].length > 0).map((group) => (
        <section key={group} className={`permission-group permission-${group}`}>
          <h3>{t(`sheet.group.${group}`)}</h3>
          <ul>
            {rows[group].map((row) => (
              <RowLine key={row.key} row={row} />
            ))}
          </ul>
        </section>
      ))}
      {fields.length > 0 && (
        <Secrets
          fields={fields}
          values={values}
          problems={problem instanceof Problem ? problem.fields : {}}
          onChange={(name, value) => setValues((before) => ({ ...before, [name]: value }))}
        />
      )}
    </Sheet>
  );
}
