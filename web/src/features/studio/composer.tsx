import { type Ref, useId, useImperativeHandle, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/icon";

export interface ComposerHandle {
  focus: () => void;
  /** Puts words into the box, to be changed and sent. */
  fill: (text: string) => void;
}
interface Props {
  label: string;
  placeholder: string;
  large?: boolean;
  busy?: boolean;
  /** Resolves to true when it was taken; then the box is emptied. */
  onSend: (text: string) => Promise<boolean>;
  ref?: Ref<ComposerHandle>;
}

/** Enter sends, Shift+Enter makes a line; while a Korean syllable is being composed Enter only ends the syllable. */
export function Composer({ label, placeholder, large = false, busy = false, onSend, ref }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [sending, setSending] = useState(false);
  const box = useRef<HTMLTextAreaElement>(null);
  const hint = useId();
  useImperativeHandle(ref, () => {
    const focus = () => box.current?.focus();
    return {
      focus,
      fill: (words: string) => {
        setText(words);
        focus();
      },
    };
  }, []);

  const send = async () => {
    const said = text.trim();
    if (!said || sending || busy) return;
    setSending(true);
    const taken = await onSend(said);
    setSending(false);
    if (taken) setText("");
  };

  return (
    <form
      className={large ? "composer composer-large" : "composer"}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        ref={box}
        rows={large ? 3 : 1}
        value={text}
        aria-label={label}
        aria-describedby={hint}
        placeholder={placeholder}
        maxLength={20_000}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          if (event.nativeEvent.isComposing || event.keyCode === 229) return;
          event.preventDefault();
          void send();
        }}
      />
      <div className="composer-foot">
        <span id={hint} className="soft">
          {t("composer.hint")}
        </span>
        <button
          type="submit"
          className="send"
          disabled={!text.trim() || sending || busy}
          aria-label={t("composer.send")}
        >
          <Icon name="arrowUp" size={22} />
        </button>
      </div>
    </form>
  );
}
