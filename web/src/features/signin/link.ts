/** The sign-in link carries its secret in the fragment: it is posted once and taken out of the address at once. */
import { openSession } from "../../api/actions";
import { queries } from "../../api/queries";

/** The problem when the link did not work; null when it did or there was none. */
export async function takeLink(): Promise<unknown> {
  const secret = new URLSearchParams(location.hash.slice(1)).get("link");
  if (!secret) return null;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    queries.setQueryData(["me"], await openSession(secret));
    return null;
  } catch (problem) {
    return problem;
  }
}
