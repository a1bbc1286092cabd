/** The answer while it is written: words, one quiet line of thinking, and what the tools' inputs are becoming. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Writing, WritingBlock } from "../../api/writing";
import { lex } from "../../ui/code";
import { Icon, type IconName } from "../../ui/icon";
import { Markdown } from "../../ui/markdown";
import { type Json, readPartial } from "./partial-json";
import { QuietLine } from "./quiet";
import "./writing.css";

type Fields = { [name: string]: Json };

/** Only as much of a file as fits its window is drawn, however long it grows. */
const WINDOW_LINES = 12;

const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
const list = (value: Json | undefined): Json[] =>
  Array.isArray(value) ? value.filter((each) => each !== undefined) : [];
const fields = (value: Json | undefined): Fields =>
  value && typeof value === "object" && !Array.isArray(value) ? value : {};

/** The last line of the summary tells where the thought is; all of it is one press away. */
function Thought({ block, going }: { block: WritingBlock; going: boolean }) {
  const { t } = useTranslation();
  const latest = block.text.trimEnd().split("\n").at(-1) ?? "";
  return (
    <details className="thought">
      <summary>
        <Icon name="chevron" size={14} />
        <span className="thought-label">{t(going ? "writing.thinking" : "writing.thought")}</span>
        {going && <span className="thought-latest soft">{latest}</span>}
      </summary>
      <p className="pre-line soft">{block.text}</p>
    </details>
  );
}

function Line({ icon, children }: { icon: IconName; children: string }) {
  return (
    <p className="writing-line">
      <Icon name={icon} size={16} /> {children}
    </p>
  );
}

function FormingPlan({ input }: { input: Fields }) {
  const { t } = useTranslation();
  const steps = list(input.steps).map(text).filter(Boolean);
  return (
    <article className="card plan writing-plan">
      <header>
        <p className="eyebrow">{t("writing.plan")}</p>
        {text(input.name) && <h2 className="display-small">{text(input.name)}</h2>}
        {text(input.summary) && <p>{text(input.summary)}</p>}
      </header>
      {steps.length > 0 && (
        <ol className="plan-steps">
          {steps.map((step, index) => (
            <li key={index}>{step}</li>
          ))}
        </ol>
      )}
    </article>
  );
}

function FormingFile({ input }: { input: Fields }) {
  const { t } = useTranslation();
  const lines = text(input.content).split("\n");
  const shown = lines.slice(-WINDOW_LINES).join("\n");
  const pieces = useMemo(() => lex(shown), [shown]);
  return (
    <section className="card writing-file" aria-label={t("writing.file", { path: text(input.path) })}>
      <p className="writing-line">
        <Icon name="code" size={16} />
        <strong>{text(input.path) || "…"}</strong>
        <span className="soft">{t("writing.lines", { count: lines.length })}</span>
      </p>
      <pre aria-hidden="true">
        <code>
          {pieces.map((piece, index) => (
            <span key={index} className={piece.kind && `code-${piece.kind}`}>
              {piece.text}
            </span>
          ))}
        </code>
      </pre>
    </section>
  );
}

function FormingQuestions({ input }: { input: Fields }) {
  const questions = list(input.questions).map(fields);
  return (
    <div className="said writing-questions">
      {text(input.note) && <p>{text(input.note)}</p>}
      {questions.map((question, index) => (
        <div key={index} className="card">
          <p>
            <strong>{text(question.text)}</strong>
          </p>
          <div className="choices">
            {list(question.choices).map((choice, at) => (
              <span key={at} className="choice">
                {text(fields(choice).label)}
              </span>
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

function FormingCall({ block }: { block: WritingBlock }) {
  const { t } = useTranslation();
  const input = fields(useMemo(() => readPartial(block.text), [block.text]));
  switch (block.name) {
    case "propose_plan":
      return <FormingPlan input={input} />;
    case "write_file":
      return <FormingFile input={input} />;
    case "ask_user":
      return <FormingQuestions input={input} />;
    case "look":
      return <Line icon="eye">{t("writing.look")}</Line>;
    case "search_packages":
      return <Line icon="package">{t("writing.packages")}</Line>;
    case "run_test":
      return <Line icon="play">{t("writing.test")}</Line>;
    case "read_file":
      return <Line icon="file">{t("writing.read", { path: text(input.path) })}</Line>;
    default:
      return <Line icon="spark">{t("writing.tool")}</Line>;
  }
}

function Block({ block, last }: { block: WritingBlock; last: boolean }) {
  switch (block.kind) {
    case "thinking":
      return <Thought block={block} going={last} />;
    case "tool":
      return <FormingCall block={block} />;
    case "text":
      return block.text.trim() ? (
        <div className="said">
          <Markdown text={block.text} />
        </div>
      ) : null;
  }
}

export function WritingView({ writing }: { writing: Writing }) {
  return (
    <div className="writing" aria-busy="true">
      {writing.blocks.map((block, index) => (
        <Block key={index} block={block} last={index === writing.blocks.length - 1} />
      ))}
      <QuietLine last={writing} />
    </div>
  );
}
