import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { markNoticeRead } from "../../api/actions";
import { useNotices } from "../../api/queries";
import type { Notice } from "../../api/shapes";
import { IconButton } from "../../ui/button";
import { Sheet } from "../../ui/dialog";
import { Empty } from "../../ui/feedback";
import { Icon } from "../../ui/icon";
import { When } from "../../ui/time";

/** Where the thing a notice is about can be seen. */
function placeOf(notice: Notice): string {
  if (notice.kind === "budget" || notice.kind === "quarantine" || notice.kind === "packages") {
    return notice.agent_id ? `/agents/${notice.agent_id}` : "/agents";
  }
  if (notice.kind === "repaired" && notice.agent_id) return `/agents/${notice.agent_id}?tab=versions`;
  if (notice.kind === "unknown_delivery") return "/agents";
  return `/runs/${notice.about}`;
}

export function Bell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const cache = useQueryClient();
  const notices = useNotices().data?.items ?? [];
  const unread = notices.filter((notice) => !notice.read_at).length;

  const seen = (notice: Notice) => {
    setOpen(false);
    if (notice.read_at) return;
    void markNoticeRead(notice.id)
      .then(() => cache.invalidateQueries({ queryKey: ["notices"] }))
      .catch(() => undefined);
  };

  return (
    <>
      <span className="bell">
        <IconButton icon="bell" label={t("notices.open", { count: unread })} onClick={() => setOpen(true)} />
        {unread > 0 && (
          <span className="count" aria-hidden="true">
            {unread}
          </span>
        )}
      </span>
      {open && (
        <Sheet title={t("notices.title")} onClose={() => setOpen(false)}>
          {notices.length === 0 ? (
            <Empty icon="bell" title={t("notices.none")} />
          ) : (
            <ul className="notices">
              {notices.map((notice) => (
                <li key={notice.id} data-unread={!notice.read_at}>
                  <Link to={placeOf(notice)} onClick={() => seen(notice)}>
                    <Icon name={notice.needs_decision ? "hand" : "warn"} />
                    <span>
                      <strong>{t(`notices.kind.${notice.kind}`, { defaultValue: "" })}</strong>
                      <span className="pre-line">{notice.text}</span>
                      <small>
                        <When at={notice.at} />
                      </small>
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </Sheet>
      )}
    </>
  );
}
