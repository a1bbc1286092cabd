import { useId, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Question } from "../../api/shapes";
import { Button } from "../../ui/button";
import { Icon } from "../../ui/icon";

interface FieldProps {
  question: Question;
  value: string;
  locked: boolean;
  onChange: (value: string) => void;
}

function Choices({ question, value, locked, onChange }: FieldProps) {
  return (
    <div className="choices">
      {(question.choices ?? []).map((choice) => (
        <label key={choice.value} className="choice" data-chosen={value === choice.value}>
          <input
            type="radio"
            name={question.id}
            value={choice.value}
            checked={value === choice.value}
            disabled={locked}
            onChange={() => onChange(choice.value)}
          />
          <span>{choice.label}</span>
        </label>
      ))}
    </div>
  );
}

const INPUTS: Record<string, string> = {
  datetime: "datetime-local",
  date: "date",
  time: "time",
  number: "number",
  email: "email",
  secret: "password",
};

/** Anything may be written; what is offered is a shortcut. */
function isOpen(question: Question): boolean {
  return question.kind !== "choice" || !question.choices?.length;
}

function QuestionField(props: FieldProps) {
  const { t } = useTranslation();
  const { question, value, locked, onChange } = props;
  const id = useId();
  const offered = question.choices ?? [];
  const picked = offered.some((choice) => choice.value === value);
  return (
    <fieldset className="question">
      <legend id={id}>{question.text}</legend>
      {question.why && <p className="soft">{question.why}</p>}
      {offered.length > 0 && <Choices {...props} />}
      {isOpen(question) && (
        <input
          className="input"
          aria-labelledby={id}
          type={INPUTS[question.kind] ?? "text"}
          autoComplete="off"
          inputMode={question.kind === "url" ? "url" : undefined}
          placeholder={
            question.kind === "url" ? "https://" : offered.length > 0 ? t("question.other") : undefined
          }
          value={picked ? "" : value}
          disabled={locked}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </fieldset>
  );
}

interface Props {
  questions: Question[];
  answered: Record<string, string> | null;
  /** False when the conversation has gone on without an answer. */
  open: boolean;
  onAnswer: (answers: Record<string, string>) => Promise<boolean>;
}

/** A single choice answers itself when it is tapped; everything else has a button. */
export function QuestionCard({ questions, answered, open, onAnswer }: Props) {
  const { t } = useTranslation();
  const [values, setValues] = useState<Record<string, string>>({});
  const [sending, setSending] = useState(false);
  const locked = answered !== null || !open || sending;
  const shown = answered ?? values;
  const complete = questions.every((question) => (shown[question.id] ?? "").trim() !== "");
  const only = questions.length === 1 ? questions[0] : undefined;
  const tapAnswers = only !== undefined && !isOpen(only);

  const answer = async (given: Record<string, string>) => {
    setSending(true);
    const taken = await onAnswer(given);
    if (!taken) setSending(false);
  };

  return (
    <form
      className="card question-card"
      data-open={!locked}
      onSubmit={(event) => {
        event.preventDefault();
        if (complete && !locked) void answer(values);
      }}
    >
      {questions.map((question) => (
        <QuestionField
          key={question.id}
          question={question}
          value={shown[question.id] ?? ""}
          locked={locked}
          onChange={(value) => {
            const given = { ...values, [question.id]: value };
            setValues(given);
            const tapped = only?.choices?.some((choice) => choice.value === value);
            if (tapped) void answer(given);
          }}
        />
      ))}
      {answered ? (
        <p className="soft answered">
          <Icon name="check" size={16} /> {t("question.answered")}
        </p>
      ) : (
        !tapAnswers &&
        open && (
          <Button kind="primary" type="submit" busy={sending} disabled={!complete}>
            {t("question.send")}
          </Button>
        )
      )}
    </form>
  );
}
