// What differs between two texts, line by line.
import { diffLines } from "diff";

export interface Part {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
}

export function compare(before: string, after: string): readonly Part[] {
  return diffLines(before, after).map((part) => ({
    kind: part.added ? "added" : part.removed ? "removed" : "same",
    text: part.value.replace(/\n$/, ""),
  }));
}
