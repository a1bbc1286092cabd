import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { startConversation } from "../../api/actions";
import { queries, useConversations, useMe, useTemplates } from "../../api/queries";
import type { Language, Template } from "../../api/shapes";
import { useProblemText } from "../../ui/feedback";
import { Icon, iconNamed } from "../../ui/icon";
import { When } from "../../ui/time";
import { useTitle } from "../../ui/title";
import { toast } from "../../ui/toast";
import { Composer } from "./composer";
import { ConnectLink } from "./meter";

function Example({ template, first, onPick }: { template: Template; first: boolean; onPick: () => void }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language as Language;
  return (
    <li className={first ? "example example-first" : "example"}>
      <button type="button" onClick={onPick}>
        <Icon name={iconNamed(template.icon)} size={22} />
        <span className="example-words">
          <strong>{template.title[language]}</strong>
          <span>{template.text[language]}</span>
        </span>
        {first && <em className="tag tag-seal">{t("start.noAccount")}</em>}
        <Icon name="arrowRight" size={18} />
      </button>
    </li>
  );
}

function Recent() {
  const { t } = useTranslation();
  const items = useConversations().data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <section className="recent" aria-labelledby="recent-title">
      <h2 id="recent-title">{t("start.recent")}</h2>
      <ul>
        {items.slice(0, 8).map((line) => (
          <li key={line.id}>
            <Link to={`/c/${line.id}`}>
              <span className="recent-title">{line.title || t("start.fromFile")}</span>
              <span className={`state state-${line.state}`}>{t(`state.${line.state}`)}</span>
              <When at={line.updated_at} />
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function StartPage() {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const words = useProblemText();
  const [starting, setStarting] = useState(false);
  const templates = useTemplates().data?.items ?? [];
  const engine = useMe().data?.engine;
  useTitle(t("nav.build"));

  const start = async (text: string): Promise<boolean> => {
    if (starting) return false;
    setStarting(true);
    try {
      const { id } = await startConversation(text, i18n.language as Language);
      void queries.invalidateQueries({ queryKey: ["conversations"] });
      await navigate(`/c/${id}`);
      return true;
    } catch (problem) {
      toast(words(problem), { bad: true });
      return false;
    } finally {
      setStarting(false);
    }
  };

  return (
    <div className="start">
      <header className="hero">
        <h1 className="display pre-line">{t("start.hero")}</h1>
        <p className="lead">{t("start.lead")}</p>
      </header>
      <Composer
        large
        label={t("start.box")}
        placeholder={t("start.placeholder")}
        busy={starting}
        onSend={start}
      />
      {engine === "recipes" && (
        <p className="free soft">
          <Icon name="coin" size={16} />
          <span>
            {t("start.free")} <ConnectLink />
          </span>
        </p>
      )}
      <section aria-labelledby="examples-title">
        <h2 id="examples-title" className="section-title">
          {t("start.examples")}
        </h2>
        <ul className="examples" aria-busy={starting}>
          {templates.map((template, index) => (
            <Example
              key={template.id}
              template={template}
              first={index === 0}
              onPick={() => void start(template.text[i18n.language as Language])}
            />
          ))}
        </ul>
      </section>
      <Recent />
    </div>
  );
}
