import { useEffect } from "react";

export function useTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · Agent Builder` : "Agent Builder";
  }, [title]);
}
