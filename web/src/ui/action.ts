import { useState } from "react";
import { useProblemText } from "./feedback";
import { toast } from "./toast";

/** Runs one request at a time for a button; what goes wrong is said in a toast. */
export function useAction(): { busy: boolean; act: (work: () => Promise<unknown>) => Promise<boolean> } {
  const [busy, setBusy] = useState(false);
  const words = useProblemText();
  const act = async (work: () => Promise<unknown>): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    try {
      await work();
      return true;
    } catch (problem) {
      toast(words(problem), { bad: true });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, act };
}
