// Markdown of users: no HTML of theirs, no pictures from elsewhere, links that say where they lead.

import { Component, memo, type ReactNode, useEffect, useState } from "react";
import ReactMarkdown, { type Components, type Options } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";

import { cut, MoreButton, PlainText } from "./fold";
import { legible } from "./legible";

const LARGEST = 20_000;
const CODE = /```|~~~/;
/** Whatever may mean something in markdown; text without it is paragraphs. */
const MARKS = /[*_`~[\]<>|&\\@#]|:\/\/|www\.|^ {0,3}[-+=\d]|^( {4}|\t)| {2,}\n/m;
const SAFE = /^(https?:|mailto:)/i;

const components: Components = {
  a: ({ href, children }) =>
    href && SAFE.test(href) ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
        {children}
      </a>
    ) : (
      <span className="user-text">
        {children}
        {href && <span className="faint small"> ({legible(href)})</span>}
      </span>
    ),
  // A picture from elsewhere would tell its owner who reads this, and when.
  img: ({ src, alt }) => (
    <span className="tag user-text">
      picture {alt ? `“${legible(alt)}”` : ""}{" "}
      {typeof src === "string" ? legible(src.slice(0, 200)) : ""}
    </span>
  ),
  pre: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, so the keyboard has to reach it
    <pre tabIndex={0}>{children}</pre>
  ),
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, so the keyboard has to reach it
    <table tabIndex={0}>{children}</table>
  ),
  input: ({ checked }) => <span aria-hidden="true">{checked ? "☑" : "☐"}</span>,
};

/** Show text as markdown; what is too long for that, or breaks the reader, as plain text. */
export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  if (text.length > LARGEST) return <PlainText text={text} />;
  const short = cut(text);
  const isLong = short.length < text.length;
  return (
    <OrPlain text={text}>
      <div className="prose" dir="auto">
        <Prose text={legible(isWhole ? text : short)} />
      </div>
      {isLong && <MoreButton isWhole={isWhole} length={text.length} onPress={setWhole} />}
    </OrPlain>
  );
});

/** Most of what is said has no marks, and a log of it should not pay for reading them. */
function Prose({ text }: { text: string }) {
  if (MARKS.test(text)) return <Marked text={text} />;
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: paragraphs never change their order
      <p key={index}>{paragraph.trim()}</p>
    ));
}

type Plugin = NonNullable<Options["rehypePlugins"]>[number];

function Marked({ text }: { text: string }) {
  const highlight = useHighlight(CODE.test(text));
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm]}
      rehypePlugins={highlight ? [rehypeSanitize, highlight] : [rehypeSanitize]}
      components={components}
      urlTransform={(url) => url}
    >
      {text}
    </ReactMarkdown>
  );
}

let loaded: Plugin | undefined;

function useHighlight(isNeeded: boolean): Plugin | undefined {
  const [plugin, setPlugin] = useState(() => loaded);
  useEffect(() => {
    if (!isNeeded || plugin) return;
    void import("./highlight").then(({ highlight }) => {
      loaded = highlight;
      setPlugin(() => highlight);
    });
  }, [isNeeded, plugin]);
  return isNeeded ? plugin : undefined;
}

class OrPlain extends Component<{ text: string; children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    return this.state.isBroken ? <PlainText text={this.props.text} /> : this.props.children;
  }
}
