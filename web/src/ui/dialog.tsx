import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./button";

interface Props {
  title: ReactNode;
  lead?: ReactNode;
  foot?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet from the side (from below on a phone). The browser's own modal keeps focus inside and gives it back. */
export function Sheet({ title, lead, foot, onClose, children }: Props) {
  const { t } = useTranslation();
  const box = useRef<HTMLDialogElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  const titleId = useId();

  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal?.();
    return () => {
      dialog?.close?.();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  return (
    <dialog
      ref={box}
      className="sheet"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        close.current();
      }}
      onPointerDown={(event) => {
        if (event.target === event.currentTarget) close.current();
      }}
    >
      <div className="sheet-body">
        <div className="sheet-head">
          <div>
            <h2 id={titleId} tabIndex={-1}>
              {title}
            </h2>
            {lead && <p className="soft">{lead}</p>}
          </div>
          <IconButton icon="cross" label={t("close")} onClick={onClose} />
        </div>
        {/* A scrolling region must be reachable by keyboard */}
        <div className="sheet-scroll" tabIndex={0} role="group" aria-labelledby={titleId}>
          {children}
        </div>
        {foot && <div className="sheet-foot">{foot}</div>}
      </div>
    </dialog>
  );
}
