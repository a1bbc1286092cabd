import { useTranslation } from "react-i18next";
import type { ConversationDetail, ConversationEntry, ResultData } from "../../api/shapes";
import { Markdown } from "../../ui/markdown";
import { PlanCard } from "./plan-card";
import { QuestionCard } from "./question-card";

interface Props {
  detail: ConversationDetail;
  onAnswer: (answers: Record<string, string>) => Promise<boolean>;
  onSay: (text: string) => void;
  onReview: () => void;
}

function Result({ data, onSay }: { data: ResultData; onSay: ((text: string) => void) | undefined }) {
  const { t } = useTranslation();
  return (
    <div className="said">
      <Markdown text={data.text} />
      {onSay && data.suggestions && data.suggestions.length > 0 && (
        <ul className="suggestions" aria-label={t("studio.instead")}>
          {data.suggestions.map((text) => (
            <li key={text}>
              <button type="button" className="choice" onClick={() => onSay(text)}>
                {text}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Entry({
  entry,
  detail,
  onAnswer,
  onSay,
  onReview,
  last,
}: Props & { entry: ConversationEntry; last: boolean }) {
  switch (entry.kind) {
    case "text":
      return entry.author === "person" ? (
        <p className="said said-person pre-line">{entry.data.text}</p>
      ) : (
        <div className="said">
          <Markdown text={entry.data.text} />
        </div>
      );
    case "question":
      return (
        <QuestionCard
          questions={entry.data.questions}
          answered={entry.data.answered}
          open={last && detail.state === "asking"}
          onAnswer={onAnswer}
        />
      );
    case "plan":
      // Only the newest plan is a document here; what it replaced is told by the words around it.
      return detail.plan?.id === entry.data.plan_id ? (
        <PlanCard plan={detail.plan} onReview={onReview} />
      ) : null;
    case "result":
      return <Result data={entry.data} onSay={last ? onSay : undefined} />;
    case "progress":
      return null; // shown in the build panel
  }
}

export function Entries(props: Props) {
  const { t } = useTranslation();
  const { detail } = props;
  const shown = detail.messages.filter((entry) => entry.kind !== "progress");
  const lastSeq = shown.findLast((entry) => entry.kind === "question" || entry.kind === "result")?.seq;
  return (
    <div className="entries">
      {shown.length === 0 && <p className="said said-person pre-line">{detail.title}</p>}
      {shown.map((entry) => (
        <Entry key={entry.id} {...props} entry={entry} last={entry.seq === lastSeq} />
      ))}
      {detail.state === "thinking" && (
        <p className="thinking">
          <span aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {t("state.thinking")}
        </p>
      )}
    </div>
  );
}
