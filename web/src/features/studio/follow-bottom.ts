/** Keeps the newest in view while the person is at the bottom; whoever has scrolled up is left alone. */
import { type RefObject, useCallback, useEffect, useRef } from "react";

interface FollowBottom {
  box: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  /** Go there now, and stay. */
  jump: () => void;
}

export function useFollowBottom(): FollowBottom {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const before = useRef(0);

  const keep = useCallback(() => {
    const element = box.current;
    if (element && following.current) element.scrollTop = element.scrollHeight;
  }, []);
  const jump = useCallback(() => {
    following.current = true;
    requestAnimationFrame(keep);
  }, [keep]);
  const onScroll = useCallback(() => {
    const element = box.current;
    if (!element) return;
    // Growing content never moves up by itself: only a person does.
    if (element.scrollHeight - element.scrollTop - element.clientHeight < 80) following.current = true;
    else if (element.scrollTop < before.current - 2) following.current = false;
    before.current = element.scrollTop;
  }, []);

  useEffect(() => {
    if (!content.current) return;
    const watch = new ResizeObserver(keep);
    watch.observe(content.current);
    return () => watch.disconnect();
  }, [keep]);

  return { box, content, onScroll, jump };
}
