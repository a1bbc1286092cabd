/** What a mended agent reports beside what it reported on a good day, so that a person can judge the fix. */
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { MendedSide, Mended as Repair, Rows } from "../../api/shapes";
import { Icon } from "../../ui/icon";
import "./mended.css";

function Table({ rows, known }: { rows: Rows; known: ReadonlySet<string> }) {
  const { t } = useTranslation();
  const fresh = (row: readonly string[]) => known.size > 0 && !known.has(row.join("\t"));
  return (
    <div className="table-scroll">
      <table>
        <caption>{rows.name ? <code>{rows.name}</code> : t("mended.report")}</caption>
        {rows.header.length > 0 && (
          <thead>
            <tr>
              {rows.header.map((name, index) => (
                <th key={index} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {rows.rows.map((row, index) => (
            <tr key={index} data-fresh={fresh(row)}>
              {row.map((cell, place) => (
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.more > 0 && <p className="soft">{t("mended.more", { count: rows.more })}</p>}
    </div>
  );
}

interface SideProps {
  side: MendedSide;
  title: string;
  /** Rows of the other side, to mark those that are new. */
  known: ReadonlySet<string>;
}

function Side({ side, title, known }: SideProps) {
  const { t } = useTranslation();
  return (
    <section className="mended-side" aria-label={title}>
      <h4>
        {title}{" "}
        <Link to={`/runs/${side.run_id}`} aria-label={t("mended.whole", { title })}>
          {t("mended.open")}
        </Link>
      </h4>
      {side.rows.length === 0 && <p className="soft">{t("mended.nothing")}</p>}
      {side.rows.map((rows) => (
        <Table key={rows.name} rows={rows} known={known} />
      ))}
    </section>
  );
}

const linesOf = (side: MendedSide | undefined): ReadonlySet<string> =>
  new Set(side?.rows.flatMap((table) => table.rows.map((row) => row.join("\t"))));

const NONE: ReadonlySet<string> = new Set();

export function Mended({ mended, agentId }: { mended: Repair; agentId: string | null }) {
  const { t } = useTranslation();
  const { before, after, unsure } = mended;
  return (
    <section className="mended" aria-label={t("mended.title")}>
      <h3>
        <Icon name="pencil" size={16} /> {t("mended.title")}
      </h3>
      {unsure.length > 0 && (
        <ul className="mended-unsure">
          {unsure.map((text) => (
            <li key={text}>
              <Icon name="warn" size={16} />
              <span>{text}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="mended-sides">
        {before && <Side side={before} title={t("mended.before")} known={NONE} />}
        {after && <Side side={after} title={t("mended.after")} known={before ? linesOf(before) : NONE} />}
      </div>
      {agentId && (
        <p className="soft">
          {t("mended.back")} <Link to={`/agents/${agentId}?tab=versions`}>{t("mended.versions")}</Link>
        </p>
      )}
    </section>
  );
}
