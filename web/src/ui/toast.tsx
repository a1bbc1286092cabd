/** Short messages about what just happened, with at most one way to take it back. */
import { useSyncExternalStore } from "react";
import { Icon } from "./icon";

export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

let toasts: readonly Toast[] = [];
let counter = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

export function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

export function toast(text: string, options: { bad?: boolean; action?: Toast["action"] } = {}): void {
  counter += 1;
  const id = counter;
  const made: Toast = { id, text, bad: options.bad ?? false };
  if (options.action) made.action = options.action;
  change([...toasts.slice(-2), made]);
  setTimeout(() => dismiss(id), options.action || options.bad ? 9000 : 5000);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((item) => (
        <div key={item.id} className={item.bad ? "toast toast-bad" : "toast"}>
          <Icon name={item.bad ? "warn" : "check"} size={18} />
          <span>{item.text}</span>
          {item.action && (
            <button
              type="button"
              className="link-button"
              onClick={() => {
                item.action?.run();
                dismiss(item.id);
              }}
            >
              {item.action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
