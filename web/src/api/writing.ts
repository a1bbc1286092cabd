/** What the model is writing right now, put together from the pieces the stream brings. */
import type { LiveFrame } from "./shapes";

export interface WritingBlock {
  kind: LiveFrame["kind"];
  /** The tool whose input `text` is, as JSON that may still be open; "" otherwise. */
  name: string;
  text: string;
  /** Characters as the server counts them: a smile is one there and two in a string here. */
  characters: number;
}
export interface Writing {
  turn: number;
  blocks: WritingBlock[];
}

/** Null when nothing is being written. A piece that does not fit is left out: the stream brings all of it again when
 * it reconnects. */
export function written(before: Writing | null, piece: LiveFrame): Writing | null {
  if (piece.done) return null;
  const anew = before?.turn !== piece.turn || (piece.block === 0 && piece.at === 0);
  const blocks = anew ? [] : before.blocks;
  const known = blocks[piece.block];
  if (piece.block > blocks.length || (piece.at !== 0 && piece.at !== known?.characters)) return before;
  const grown: WritingBlock = {
    kind: piece.kind,
    name: piece.name,
    text: (piece.at === 0 ? "" : (known?.text ?? "")) + piece.text,
    characters: piece.at + [...piece.text].length,
  };
  const next = blocks.slice();
  next[piece.block] = grown;
  return { turn: piece.turn, blocks: next };
}
