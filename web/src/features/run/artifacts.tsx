import { useTranslation } from "react-i18next";
import { useArtifacts } from "../../api/queries";
import type { Artifact, Run } from "../../api/shapes";
import { size } from "../../ui/amounts";
import { Icon, type IconName } from "../../ui/icon";
import { isOver } from "./words";

const PICTURES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const VIDEOS = new Set(["video/mp4", "video/webm"]);
const SOUNDS = new Set(["audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav"]);

function iconOf(name: string): IconName {
  if (/\.(xlsx|csv|tsv)$/i.test(name)) return "table";
  return /\.html?$/i.test(name) ? "globe" : "file";
}

/** Pictures, films and sounds are shown; a page (HTML) never is: it can only be saved. The address is used as
 * it was given: files live under a name of their own. */
function Shown({ file }: { file: Artifact }) {
  const { t } = useTranslation();
  if (PICTURES.has(file.media_type)) {
    return (
      <figure>
        <a
          href={file.url}
          target="_blank"
          rel="noreferrer"
          aria-label={t("artifacts.open", { name: file.name })}
        >
          <img
            src={file.url}
            width={640}
            height={400}
            alt={t("artifacts.picture", { name: file.name })}
            loading="lazy"
          />
        </a>
      </figure>
    );
  }
  const label = t("artifacts.media", { name: file.name });
  if (VIDEOS.has(file.media_type)) {
    return (
      <figure>
        {/* biome-ignore lint/a11y/useMediaCaption: what an agent has made has no captions of its own */}
        <video src={file.url} width={640} height={400} controls preload="metadata" aria-label={label} />
      </figure>
    );
  }
  return (
    <figure className="artifact-sound">
      {/* biome-ignore lint/a11y/useMediaCaption: what an agent has made has no captions of its own */}
      <audio src={file.url} controls preload="none" aria-label={label} />
    </figure>
  );
}

export function Artifacts({
  run,
  stamp = "",
  brief = false,
}: {
  run: Pick<Run, "id" | "status">;
  stamp?: string;
  brief?: boolean;
}) {
  const { i18n } = useTranslation();
  const found = useArtifacts(run.id, `${stamp}${isOver(run)}`).data?.items ?? [];
  if (found.length === 0) return null;
  const shown = found.filter(
    ({ media_type: type }) => PICTURES.has(type) || (!brief && (VIDEOS.has(type) || SOUNDS.has(type))),
  );
  return (
    <div className={brief ? "artifacts artifacts-brief" : "artifacts"}>
      {shown.map((file) => (
        <Shown key={file.id} file={file} />
      ))}
      <ul>
        {found.map((artifact) => (
          <li key={artifact.id}>
            <a href={artifact.download_url} download={artifact.name}>
              <Icon name={iconOf(artifact.name)} size={18} />
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
