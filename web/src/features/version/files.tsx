import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useVersionFile, useVersionFiles } from "../../api/queries";
import { Code } from "../../ui/code";
import { Sheet } from "../../ui/dialog";
import { Failure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";

function FileList({ names, onOpen }: { names: string[]; onOpen: (name: string) => void }) {
  return (
    <ul className="files">
      {names.map((name) => (
        <li key={name}>
          <button type="button" onClick={() => onOpen(name)}>
            <Icon name={name.endsWith(".py") ? "code" : "file"} size={16} />
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** A version's files; a tap opens one to read. `stamp` changes when there may be more of them. */
export function Files({ versionId, stamp }: { versionId: string; stamp: string }) {
  const { t } = useTranslation();
  const files = useVersionFiles(versionId, stamp).data?.items ?? [];
  const [shown, setShown] = useState<string | null>(null);
  const names = files.map((file) => file.name);
  const own = names.filter((name) => !name.includes("/"));
  const inside = names.filter((name) => name.includes("/"));
  const content = useVersionFile(versionId, shown);
  return (
    <>
      <FileList names={own} onOpen={setShown} />
      {inside.length > 0 && (
        <details className="folder">
          <summary>{t("files.more", { count: inside.length })}</summary>
          <FileList names={inside} onOpen={setShown} />
        </details>
      )}
      {shown !== null && (
        <Sheet title={shown} lead={t("files.lead")} onClose={() => setShown(null)}>
          {content.data !== undefined && <Code text={content.data} name={shown} />}
          {content.isPending && <Skeleton lines={8} />}
          {content.error && <Failure problem={content.error} />}
        </Sheet>
      )}
    </>
  );
}
