import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { say, stopConversation } from "../../api/actions";
import { useConversationFeed, useRunFeed } from "../../api/live";
import { useConversation, useRun } from "../../api/queries";
import type { ConversationDetail, ConversationState } from "../../api/shapes";
import { useAction } from "../../ui/action";
import { Button } from "../../ui/button";
import { Reconnecting, ScreenFailure, Skeleton, useProblemText } from "../../ui/feedback";
import { useWide } from "../../ui/media";
import { useTitle } from "../../ui/title";
import { toast } from "../../ui/toast";
import { PackageQuestions } from "../permission/parked";
import { PermissionSheet } from "../permission/permission-sheet";
import { Activity } from "./activity";
import { BuildPanel } from "./build-panel";
import { Composer, type ComposerHandle } from "./composer";
import { Entries } from "./entries";
import { useFollowBottom } from "./follow-bottom";
import { ConnectLink, Meter } from "./meter";
import { Retry } from "./retry";
import { WritingView } from "./writing";

const WORKING: ReadonlySet<ConversationState> = new Set<ConversationState>([
  "thinking",
  "building",
  "testing",
]);

/** The sheet comes by itself once for each plan; closed, it waits on the plan's card. */
function useSheet(detail: ConversationDetail): [boolean, (open: boolean) => void] {
  const plan = detail.plan;
  const waits = detail.state === "proposed" && plan?.status === "proposed";
  const [closed, setClosed] = useState<string | null>(() =>
    waits && plan ? sessionStorage.getItem(`later-${plan.id}`) : null,
  );
  const open = Boolean(waits && plan && closed !== plan.id);
  return [
    open,
    (wanted) => {
      if (!plan) return;
      if (wanted) sessionStorage.removeItem(`later-${plan.id}`);
      else sessionStorage.setItem(`later-${plan.id}`, plan.id);
      setClosed(wanted ? null : plan.id);
    },
  ];
}

/** A problem the builder has told in the conversation is not told again. */
function wasSaid(problem: string, detail: ConversationDetail): boolean {
  return detail.messages.some((entry) => "text" in entry.data && entry.data.text.includes(problem));
}

function Studio({ detail }: { detail: ConversationDetail }) {
  const { t } = useTranslation();
  const wide = useWide();
  const words = useProblemText();
  const { connected, writing } = useConversationFeed(detail);
  const feed = useRunFeed(detail.test_run_id);
  const rehearsal = useRun(detail.test_run_id).data ?? detail.test_run ?? undefined;
  const [sheet, setSheet] = useSheet(detail);
  const { busy, act } = useAction();
  const composer = useRef<ComposerHandle>(null);
  const working = WORKING.has(detail.state);
  const bottom = useFollowBottom();
  // One that began with a file has no sentence to be named after.
  const title = detail.title || detail.plan?.agent_file.agent.name || t("studio.talk");
  useTitle(title);

  const tell = async (said: { text?: string; answers?: Record<string, string> }): Promise<boolean> => {
    try {
      await say(detail.id, said);
      bottom.jump();
      return true;
    } catch (problem) {
      toast(words(problem), { bad: true });
      return false;
    }
  };

  const panel = <BuildPanel detail={detail} run={rehearsal} entries={feed.entries} brief={!wide} />;
  return (
    <div className="studio">
      <section className="talk">
        <header className="talk-head">
          <h1>{title}</h1>
          <div className="talk-tools">
            <Meter tokens={detail.tokens} engine={detail.engine} />
            {wide && detail.engine === "recipes" && <ConnectLink />}
            {working && (
              <Button
                kind="quiet"
                icon="stop"
                busy={busy}
                onClick={() => void act(() => stopConversation(detail.id))}
              >
                {t("studio.stop")}
              </Button>
            )}
          </div>
        </header>
        {/* A scrolling region must be reachable by keyboard */}
        <div
          className="talk-scroll"
          ref={bottom.box}
          onScroll={bottom.onScroll}
          tabIndex={0}
          role="group"
          aria-label={t("studio.talk")}
        >
          <div className="talk-content" ref={bottom.content}>
            <Entries
              detail={detail}
              writing={writing !== null}
              onAnswer={(answers) => tell({ answers })}
              onSay={(text) => void tell({ text })}
              onReview={() => setSheet(true)}
              onEdit={working ? null : (text) => composer.current?.fill(text)}
            />
            {writing && working && <WritingView writing={writing} />}
            <PackageQuestions agentId={detail.agent_id} versionId={detail.version_id} />
            {!wide && panel}
            <p className="visually-hidden" role="status">
              {t(`state.${detail.state}`)}
            </p>
            {detail.problem && !wasSaid(detail.problem, detail) && (
              <p className="note note-bad">{detail.problem}</p>
            )}
            {detail.state === "failed" && !writing && (
              <Retry detail={detail} onSay={(text) => tell({ text })} />
            )}
            <Activity detail={detail} rehearsal={rehearsal} onStart={bottom.jump} />
            <Reconnecting connected={connected && feed.connected} />
          </div>
        </div>
        <Composer
          ref={composer}
          label={t("studio.box")}
          placeholder={t(detail.state === "asking" ? "studio.answerHere" : "studio.changeHere")}
          onSend={(text) => tell({ text })}
        />
      </section>
      {wide && (
        <aside className="panel-side" aria-label={t("panel.title")}>
          {panel}
        </aside>
      )}
      {sheet && detail.plan && (
        <PermissionSheet
          key={detail.plan.id}
          plan={detail.plan}
          onDone={() => {
            setSheet(false);
            bottom.jump();
          }}
          onChange={() => {
            setSheet(false);
            setTimeout(() => composer.current?.focus(), 0);
          }}
          onLater={() => setSheet(false)}
        />
      )}
    </div>
  );
}

/** A conversation is followed as soon as it is known; a new id starts everything anew. */
export default function ConversationPage() {
  const { id = "" } = useParams();
  const conversation = useConversation(id);
  if (conversation.data) return <Studio key={id} detail={conversation.data} />;
  if (conversation.error) {
    return <ScreenFailure problem={conversation.error} onRetry={() => void conversation.refetch()} />;
  }
  return <Skeleton lines={8} />;
}
