/** Keeps the newest in view while the person is at the bottom; whoever has scrolled up is left alone. */
import { type RefObject, useCallback, useEffect, useRef } from "react";

interface FollowBottom {
  box: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  /** Go there now. */
  jump: () => void;
  /** Something grew: stay at the bottom if that is where the person is. */
  keep: () => void;
}

export function useFollowBottom(stamp: string): FollowBottom {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);

  const keep = useCallback(() => {
    const element = box.current;
    if (element && following.current) element.scrollTo({ top: element.scrollHeight });
  }, []);
  const jump = useCallback(() => {
    following.current = true;
    requestAnimationFrame(keep);
  }, [keep]);
  const onScroll = useCallback(() => {
    const element = box.current;
    if (element) following.current = element.scrollHeight - element.scrollTop - element.clientHeight < 80;
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says that something was added
  useEffect(() => {
    const frame = requestAnimationFrame(keep);
    return () => cancelAnimationFrame(frame);
  }, [stamp, keep]);

  return { box, onScroll, jump, keep };
}
