// Markdown of users: no HTML of theirs, no pictures from elsewhere, links that say where they lead.

import { Component, type ReactNode, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";

import { cut, MoreButton, PlainText } from "./fold";
import { legible } from "./legible";

const LARGEST = 20_000;
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
export function Markdown({ text }: { text: string }) {
  const [isWhole, setWhole] = useState(false);
  if (text.length > LARGEST) return <PlainText text={text} />;
  const short = cut(text);
  const isLong = short.length < text.length;
  return (
    <OrPlain text={text}>
      <div className="prose" dir="auto">
        <ReactMarkdown
          remarkPlugins={[remarkGfm]}
          rehypePlugins={[rehypeSanitize, [rehypeHighlight, { detect: false }]]}
          components={components}
          urlTransform={(url) => url}
        >
          {legible(isWhole ? text : short)}
        </ReactMarkdown>
      </div>
      {isLong && <MoreButton isWhole={isWhole} length={text.length} onPress={setWhole} />}
    </OrPlain>
  );
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
