import { useTranslation } from "react-i18next";
import { useArtifacts } from "../../api/queries";
import type { Run } from "../../api/shapes";
import { size } from "../../ui/amounts";
import { Icon } from "../../ui/icon";
import { isOver } from "./words";

const PICTURES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);

export function Artifacts({
  run,
  stamp = "",
  brief = false,
}: {
  run: Pick<Run, "id" | "status">;
  stamp?: string;
  brief?: boolean;
}) {
  const { t, i18n } = useTranslation();
  const found = useArtifacts(run.id, `${stamp}${isOver(run)}`).data?.items ?? [];
  if (found.length === 0) return null;
  const pictures = found.filter((artifact) => PICTURES.has(artifact.media_type));
  return (
    <div className={brief ? "artifacts artifacts-brief" : "artifacts"}>
      {pictures.map((picture) => (
        <figure key={picture.id}>
          <a
            href={picture.url}
            target="_blank"
            rel="noreferrer"
            aria-label={t("artifacts.open", { name: picture.name })}
          >
            <img src={picture.url} alt={t("artifacts.picture", { name: picture.name })} loading="lazy" />
          </a>
        </figure>
      ))}
      <ul>
        {found.map((artifact) => (
          <li key={artifact.id}>
            <a href={artifact.url} download={artifact.name}>
              <Icon
                name={artifact.name.endsWith(".xlsx") || artifact.name.endsWith(".csv") ? "table" : "file"}
                size={18}
              />
              <span>{artifact.name}</span>
              <small>{size(artifact.size, i18n.language)}</small>
              <Icon name="download" size={16} />
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
