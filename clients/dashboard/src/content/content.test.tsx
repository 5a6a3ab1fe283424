import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import ReactMarkdown from "react-markdown";
import { describe, expect, it } from "vitest";

import { cut, PlainText } from "./fold";
import { type Json, JsonView, parsed } from "./json";
import { legible, UserText } from "./legible";
import { Markdown } from "./markdown";

describe("text of users", () => {
  it("names what turns, hides or controls other text", () => {
    expect(legible("a\u202eb\u200bc\u0000d")).toBe("a‹U+202E›b‹U+200B›c‹U+0000›d");
  });

  it("leaves lines, emoji and joined letters alone", () => {
    const text = "a\n\tb 👩\u200d👩 می\u200cخواهم";
    expect(legible(text)).toBe(text);
  });

  it("marks them as elements where it can", () => {
    const { container } = render(<UserText>{"x\u202ey"}</UserText>);
    expect(container.querySelector(".control")?.textContent).toBe("U+202E");
  });
});

describe("markdown", () => {
  it("shows HTML as text", () => {
    const { container } = render(<Markdown text={"hello <script>alert(1)</script> **you**"} />);
    expect(container.querySelector("script")).toBeNull();
    expect(container.querySelector("strong")?.textContent).toBe("you");
  });

  it("links to the web only, and marks the link", () => {
    render(<Markdown text="[bad](javascript:alert(1)) [good](https://example.com)" />);
    expect(screen.getAllByRole("link")).toHaveLength(1);
    expect(screen.getByRole("link").getAttribute("rel")).toContain("noopener");
  });

  it("fetches no picture from elsewhere", () => {
    const { container } = render(<Markdown text="![spy](http://spy.example/p.png)" />);
    expect(container.querySelector("img")).toBeNull();
    expect(container.textContent).toContain("spy.example");
  });

  it.each([
    "One sentence, and another: 3.5 % of it (or so).",
    "Two lines\nof one paragraph.\n\n\nAnother one.\n",
    "  indented a little\nand \u05e9\u05dc\u05d5\u05dd",
  ])("shows text without marks as the reader of markdown would", (text) => {
    const { container: ours } = render(<Markdown text={text} />);
    const { container: theirs } = render(<ReactMarkdown>{text}</ReactMarkdown>);
    const paragraphs = (of: HTMLElement) => [...of.querySelectorAll("p")].map((p) => p.textContent);
    expect(paragraphs(ours)).toEqual(paragraphs(theirs));
  });

  it("shows very long text without reading it as markdown", () => {
    const { container } = render(<Markdown text={"*".repeat(50_000)} />);
    expect(container.querySelector(".prose")).toBeNull();
    expect(screen.getByRole("button").textContent).toContain("Show all");
  });
});

describe("long text", () => {
  it("is cut by signs and by lines", () => {
    expect(cut("x".repeat(5_000)).length).toBeLessThan(2_000);
    expect(cut("line\n".repeat(100)).split("\n").length).toBeLessThan(30);
    expect(cut("short")).toBe("short");
  });

  it("is shown whole when asked", async () => {
    const text = "y".repeat(5_000);
    const { container } = render(<PlainText text={text} />);
    await userEvent.click(screen.getByRole("button"));
    expect(container.querySelector("pre")?.textContent).toBe(text);
  });
});

describe("JSON", () => {
  it("is read only if the whole text is an object or a list", () => {
    expect(parsed('{"a": 1}')).toEqual({ a: 1 });
    expect(parsed("[1]")).toEqual([1]);
    expect(parsed('"text"')).toBeUndefined();
    expect(parsed("{nothing")).toBeUndefined();
  });

  it("opens level by level, however deep it is", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`) as Json;
    render(<JsonView value={deep} />);
    const closed = () =>
      screen
        .getAllByRole("button")
        .filter(
          (one) => one.ariaExpanded === "false" || one.getAttribute("aria-expanded") === "false",
        );
    expect(screen.getAllByRole("button").length).toBeLessThan(5);
    await userEvent.click(closed()[0] as HTMLElement);
    expect(screen.getAllByRole("button").length).toBeLessThan(6);
  });
});
