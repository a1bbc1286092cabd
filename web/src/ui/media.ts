import { useSyncExternalStore } from "react";

/** True where two columns fit. */
const wide = typeof matchMedia === "function" ? matchMedia("(min-width: 60rem)") : null;

export function useWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      wide?.addEventListener("change", listener);
      return () => wide?.removeEventListener("change", listener);
    },
    () => wide?.matches ?? true,
  );
}
