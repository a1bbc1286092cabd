/** Read-only Python and friends, coloured by a small lexer: words, strings, numbers, comments. */
import { Fragment, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./button";
import { toast } from "./toast";

const TOKEN =
  /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(#.*)|\b(\d[\d_.]*)\b|\b(and|as|assert|async|await|break|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield|true|false)\b/g;
const KINDS = ["", "string", "comment", "number", "word"] as const;

export interface Piece {
  text: string;
  kind: (typeof KINDS)[number];
}

export function lex(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), kind: "" });
    const group = match.slice(1).findIndex((part) => part !== undefined) + 1;
    pieces.push({ text: match[0], kind: KINDS[group] ?? "" });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), kind: "" });
  return pieces;
}

export function Code({ text, name }: { text: string; name: string }) {
  const { t } = useTranslation();
  const pieces = useMemo(() => lex(text), [text]);
  return (
    <div className="code">
      <IconButton
        icon="copy"
        label={t("copy")}
        onClick={() => void navigator.clipboard?.writeText(text).then(() => toast(t("copied")))}
      />
      {/* Code scrolls and must be reachable by keyboard */}
      <pre tabIndex={0} aria-label={name} role="group">
        <code>
          {pieces.map((piece, index) =>
            piece.kind ? (
              <span key={index} className={`code-${piece.kind}`}>
                {piece.text}
              </span>
            ) : (
              <Fragment key={index}>{piece.text}</Fragment>
            ),
          )}
        </code>
      </pre>
    </div>
  );
}
