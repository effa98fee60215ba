/**
 * Errors show names, lists and text that somebody else has chosen on one line, cut short, without characters that act.
 */
import { describe, expect, it } from "vitest";
import { FormatError, MemoryError, OptionError, ShapeError, TrainingError } from "../src/index.ts";
import { escaped, OwnError } from "../src/errors.ts";
import { listed, show } from "../src/options.ts";
import { shapeText } from "../src/tensor.ts";

describe("messages of errors", () => {
  const types = [FormatError, MemoryError, OptionError, ShapeError, OwnError];

  it.each([...types, class extends TrainingError {}])("are short: %o", (type) => {
    for (const length of [998, 999, 1000, 1001, 1e6]) {
      const { message } = new type(`begin${"x".repeat(length - 8)}end`, 1 as never);
      expect(message.length).toBeLessThan(1000);
      expect(message).toMatch(/^beginx+.*x+end$/);
      expect(message.includes(`(cut from ${length} characters)`)).toBe(length >= 1000);
    }
  });

  it("are short when what is escaped makes them longer, or stands where they are cut", () => {
    for (const character of ["\u001b", "\ud800", "\u{e0001}", "😀"]) {
      for (let before = 0; before < 3; before++) {
        const { message } = new FormatError("x".repeat(before) + character.repeat(900));
        expect(message.length).toBeLessThan(1000);
        expect(message).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }
    }
  });

  it("say what would steer a terminal, turn the direction of writing or end a line", () => {
    // "Trojan Source" (2021) warns of U+202A to U+202E and U+2066 to U+2069.
    const text = "a\u001b[31mb\u009bc\u202ed\u2066e\u2028f\ng\u0000h\u200bi\u{e0041}";
    const seen = "a\\u001b[31mb\\u009bc\\u202ed\\u2066e\\u2028f\\u000ag\\u0000h\\u200bi\\u{e0041}";
    expect(escaped(text)).toBe(seen);
    expect(new ShapeError(text).message).toBe(seen);
    expect(escaped("\ud83dx\udc00 Größe 寸法 😀")).toBe("\\ud83dx\\udc00 Größe 寸法 😀");
  });

  it("keep the cause", () => {
    const cause = new Error("why");
    expect(new FormatError("what", { cause }).cause).toBe(cause);
  });
});

describe("what messages are made of", () => {
  it("lists end with the number of those that are left out", () => {
    const many = Array.from({ length: 20_000 }, (_, i) => i);
    expect(listed(many.slice(0, 16))).toBe(many.slice(0, 16).join(", "));
    expect(listed(many)).toBe(`${many.slice(0, 16).join(", ")} and 19,984 more`);
    expect(shapeText(many.slice(0, 17))).toBe(`${many.slice(0, 16).join("×")} and 1 more`);
    expect(shapeText([1, 28, 28])).toBe("1×28×28");
  });

  it("values are shown as far as they can be read, however long or deep they are", () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 1e5; i++) deep = [deep];
    expect(show(deep)).toBe("[object Array]");
    expect(show("x".repeat(1e7))).toBe(`"${"x".repeat(76)}...`);
    expect(show(Array.from({ length: 1e6 }, () => "long text"))).toHaveLength(80);
    expect(show({ a: [1, "b"] })).toBe('{"a":[1,"b"]}');
  });
});
