import { useTranslation } from "react-i18next";
import type { ConversationDetail, ConversationEntry, ResultData } from "../../api/shapes";
import { IconButton } from "../../ui/button";
import { Markdown } from "../../ui/markdown";
import { Mended } from "./mended";
import { ConnectLink } from "./meter";
import { PlanCard } from "./plan-card";
import { QuestionCard } from "./question-card";
import { QuietSeconds } from "./quiet";

interface Props {
  detail: ConversationDetail;
  onAnswer: (answers: Record<string, string>) => Promise<boolean>;
  onSay: (text: string) => void;
  onReview: () => void;
  /** Null while something is being made: then there is nothing to say differently yet. */
  onEdit: ((text: string) => void) | null;
  /** The model's own words are on the page already. */
  writing: boolean;
}

interface ResultProps {
  data: ResultData;
  agentId: string | null;
  onSay: ((text: string) => void) | undefined;
}

function Result({ data, agentId, onSay }: ResultProps) {
  const { t } = useTranslation();
  return (
    <div className="said">
      <Markdown text={data.text} />
      {data.mended && <Mended mended={data.mended} agentId={agentId} />}
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

/** How the door mentions a key for Claude that it took out of a message: it belongs to the connection. */
const PASTED_KEY = /\[(?:보관함|vault): ANTHROPIC_API_KEY/;

/** What the person said; the newest can be put back into the box, changed and sent again. */
function Person({ text, onEdit }: { text: string; onEdit: ((text: string) => void) | null }) {
  const { t } = useTranslation();
  return (
    <div className="said-turn">
      <p className="said said-person pre-line">{text}</p>
      {PASTED_KEY.test(text) && (
        <p className="soft said-aside">
          {t("connection.pasted")} <ConnectLink />
        </p>
      )}
      {onEdit && <IconButton icon="pencil" label={t("studio.edit")} onClick={() => onEdit(text)} />}
    </div>
  );
}

/** The sentence about a model that has no time right now, while that is the newest thing that happened. */
function waitingFor(detail: ConversationDetail): string {
  const latest = detail.messages.at(-1);
  return latest?.kind === "progress" && latest.data.step === "waiting" ? latest.data.text : "";
}

function Entry({
  entry,
  detail,
  onAnswer,
  onSay,
  onReview,
  onEdit,
  last,
  newest,
}: Props & { entry: ConversationEntry; last: boolean; newest: boolean }) {
  switch (entry.kind) {
    case "text":
      return entry.author === "person" ? (
        <Person text={entry.data.text} onEdit={newest ? onEdit : null} />
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
      return <Result data={entry.data} agentId={detail.agent_id} onSay={last ? onSay : undefined} />;
    case "progress":
      return null; // shown in the build panel
  }
}

export function Entries(props: Props) {
  const { t } = useTranslation();
  const { detail } = props;
  const shown = detail.messages.filter((entry) => entry.kind !== "progress");
  const lastSeq = shown.findLast((entry) => entry.kind === "question" || entry.kind === "result")?.seq;
  const lastSaid = shown.findLast((entry) => entry.kind === "text" && entry.author === "person")?.seq;
  const waits = waitingFor(detail);
  return (
    <div className="entries">
      {shown.length === 0 && <p className="said said-person pre-line">{detail.title}</p>}
      {shown.map((entry) => (
        <Entry
          key={entry.id}
          {...props}
          entry={entry}
          last={entry.seq === lastSeq}
          newest={entry.seq === lastSaid}
        />
      ))}
      {(waits || (detail.state === "thinking" && !props.writing)) && (
        <p className="thinking">
          <span aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {waits || t("state.thinking")}
          <QuietSeconds last={detail.messages.length} />
        </p>
      )}
    </div>
  );
}
