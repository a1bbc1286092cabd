import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useVersionFile, useVersionFiles } from "../../api/queries";
import { Code } from "../../ui/code";
import { Sheet } from "../../ui/dialog";
import { Failure, Skeleton } from "../../ui/feedback";
import { Icon } from "../../ui/icon";

/** A version's files; a tap opens one to read. `stamp` changes when there may be more of them. */
export function Files({ versionId, stamp }: { versionId: string; stamp: string }) {
  const { t } = useTranslation();
  const files = useVersionFiles(versionId, stamp).data?.items ?? [];
  const [shown, setShown] = useState<string | null>(null);
  const content = useVersionFile(versionId, shown);
  return (
    <>
      <ul className="files">
        {files.map((file) => (
          <li key={file.name}>
            <button type="button" onClick={() => setShown(file.name)}>
              <Icon name={file.name.endsWith(".py") ? "code" : "file"} size={16} />
              {file.name}
            </button>
          </li>
        ))}
      </ul>
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
