import { type ReactNode, type RefObject, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Button, IconButton } from "./button";

/** The browser's own modal keeps focus inside and gives it back where it was. */
function useModal(): RefObject<HTMLDialogElement | null> {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal?.();
    return () => {
      dialog?.close?.();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return box;
}

/** Escape and a press on the veil both mean closing. */
function closing(onClose: () => void) {
  return {
    onCancel: (event: React.SyntheticEvent) => {
      event.preventDefault();
      onClose();
    },
    onPointerDown: (event: React.PointerEvent) => {
      if (event.target === event.currentTarget) onClose();
    },
  };
}

interface Props {
  title: ReactNode;
  lead?: ReactNode;
  foot?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet from the side (from below on a phone). */
export function Sheet({ title, lead, foot, onClose, children }: Props) {
  const { t } = useTranslation();
  const box = useModal();
  const titleId = useId();
  return (
    <dialog ref={box} className="sheet" aria-labelledby={titleId} {...closing(onClose)}>
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

interface ConfirmProps {
  title: string;
  /** The verb of what will be done; the other button only closes. */
  yes: string;
  busy: boolean;
  disabled?: boolean;
  onYes: () => void;
  onNo: () => void;
  children: ReactNode;
}

/** One question before something with consequences: what exactly will happen stands inside. */
export function Confirm({ title, yes, busy, disabled = false, onYes, onNo, children }: ConfirmProps) {
  const { t } = useTranslation();
  const box = useModal();
  const titleId = useId();
  return (
    <dialog ref={box} className="confirm" aria-labelledby={titleId} {...closing(onNo)}>
      <div className="confirm-body">
        <h2 id={titleId}>{title}</h2>
        {/* A scrolling region must be reachable by keyboard */}
        <div className="confirm-text" tabIndex={0} role="group" aria-labelledby={titleId}>
          {children}
        </div>
        <div className="confirm-actions">
          <Button onClick={onNo}>{t("no")}</Button>
          <Button kind="primary" busy={busy} disabled={disabled} onClick={onYes}>
            {yes}
          </Button>
        </div>
      </div>
    </dialog>
  );
}
