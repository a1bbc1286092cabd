/** Loaded after the first paint: a stylesheet of subsets, of which the browser fetches the few it needs. */
import "pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css";
import "@fontsource-variable/hahmlet/index.css";
