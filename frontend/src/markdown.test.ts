import { describe, expect, it } from "vitest";

import { applyMark, continueList, type Change, type Mark } from "./markdown";

function result(text: string, change: Change): { text: string; selected: string } {
  const after = text.slice(0, change.from) + change.insert + text.slice(change.to);
  return { text: after, selected: after.slice(change.start, change.end) };
}

function pressed(mark: Mark, text: string, selected: string): { text: string; selected: string } {
  const from = text.indexOf(selected);
  return result(text, applyMark(mark, text, from, from + selected.length));
}

describe("marks within a line", () => {
  it.each([
    ["bold", "say it now", "it", "say **it** now"],
    ["italic", "say it now", "it", "say *it* now"],
    ["code", "run ls here", "ls", "run `ls` here"],
  ] as const)("%s wraps the selection and keeps it selected", (mark, before, selected, after) => {
    expect(pressed(mark, before, selected)).toEqual({ text: after, selected });
  });

  it("bold pressed twice changes nothing", () => {
    const once = pressed("bold", "say it now", "it");
    expect(pressed("bold", once.text, "it")).toEqual({ text: "say it now", selected: "it" });
  });

  it("bold takes away marks that were selected too", () => {
    expect(pressed("bold", "say **it** now", "**it**").text).toBe("say it now");
  });

  it("italic inside bold adds to it", () => {
    expect(pressed("italic", "say **it** now", "it").text).toBe("say ***it*** now");
  });

  it("code over several lines becomes a block", () => {
    expect(pressed("code", "ls\ncd", "ls\ncd")).toEqual({ text: "```\nls\ncd\n```", selected: "ls\ncd" });
  });

  it("link asks for the address of selected words, and for words of a selected address", () => {
    expect(pressed("link", "see docs", "docs")).toEqual({ text: "see [docs](https://)", selected: "https://" });
    const address = result("https://a.example", applyMark("link", "https://a.example", 0, 17));
    expect(address).toEqual({ text: "[](https://a.example)", selected: "" });
  });
});

describe("marks of lines", () => {
  it("list marks every selected line, and unmarks them when all are marked", () => {
    const once = result("a\nb\nc", applyMark("list", "a\nb\nc", 0, 3));
    expect(once.text).toBe("- a\n- b\nc");
    expect(result(once.text, applyMark("list", once.text, 0, 7)).text).toBe("a\nb\nc");
  });

  it("one kind replaces another", () => {
    expect(result("- a", applyMark("task", "- a", 1, 1)).text).toBe("- [ ] a");
    expect(result("# a", applyMark("heading", "# a", 1, 1)).text).toBe("## a");
  });

  it("works on an empty text", () => {
    expect(result("", applyMark("heading", "", 0, 0)).text).toBe("## ");
  });
});

describe("Enter in a list", () => {
  const entered = (text: string): string | null => {
    const change = continueList(text, text.length);
    return change === null ? null : result(text, change).text;
  };

  it.each([
    ["- milk", "- milk\n- "],
    ["  * milk", "  * milk\n  * "],
    ["- [x] call", "- [x] call\n- [ ] "],
    ["9. nine", "9. nine\n10. "],
  ])("after %j goes on with the next item", (before, after) => expect(entered(before)).toBe(after));

  it("on an empty item ends the list", () => expect(entered("- milk\n- ")).toBe("- milk\n"));
  it("elsewhere is just Enter", () => expect(entered("plain")).toBeNull());
  it("in the middle of an item is just Enter", () => expect(continueList("- milk", 3)).toBeNull());
});
