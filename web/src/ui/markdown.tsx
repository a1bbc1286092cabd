/** Reports as Markdown; the reader is loaded when the first report is shown. No raw HTML, no remote pictures. */
import { lazy, Suspense } from "react";

const Reader = lazy(() => import("./markdown-reader"));

export function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      <Suspense fallback={<p className="pre-line">{text}</p>}>
        <Reader text={text} />
      </Suspense>
    </div>
  );
}
