// What is in a file, as far as a page can show it without running anything.

import type { GetArtifactResponse } from "@gen/acontext/disk/v1/disk_service_pb";
import hljs from "highlight.js/lib/common";
import Papa from "papaparse";
import { useMemo } from "react";

import { Empty } from "../../components/states";
import { plural } from "../../components/words";
import { PlainText } from "../../content/fold";
import { JsonView, parsed } from "../../content/json";
import { legible, withNames } from "../../content/legible";
import { Markdown } from "../../content/markdown";

const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;
const HIGHLIGHTED = 100_000;
const ROWS = 200;

export function Preview({ found }: { found: GetArtifactResponse }) {
  const info = (found.artifact?.meta?.["__artifact_info__"] ?? {}) as { mime?: string };
  const mime = info.mime ?? "";
  const name = found.artifact?.filename ?? "";
  if (PICTURES.test(mime) && found.publicUrl) {
    return <img className="media" src={found.publicUrl} alt={legible(name)} />;
  }
  if (!found.content) {
    return (
      <Empty title="No preview">Its type has no text that a page can show. Download it.</Empty>
    );
  }
  const { raw, type } = found.content;
  if (/\.(md|markdown)$/i.test(name) || mime.startsWith("text/markdown")) {
    return <Markdown text={raw} />;
  }
  if (type === "csv") return <Csv text={raw} />;
  if (type === "json") {
    const value = parsed(raw);
    return value === undefined ? <PlainText text={raw} isCode /> : <JsonView value={value} />;
  }
  return <Code text={raw} name={name} />;
}

function Csv({ text }: { text: string }) {
  const { data } = useMemo(() => Papa.parse<string[]>(text, { preview: ROWS + 2 }), [text]);
  const [head, ...rows] = data.filter((row) => row.some((cell) => cell !== ""));
  if (!head) return <Empty title="An empty table" />;
  return (
    <>
      <section
        className="table-scroll"
        aria-label="The table"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
        tabIndex={0}
      >
        <table className="table">
          <thead>
            <tr>
              {head.map((cell, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns never move
                <th key={index} scope="col">
                  {withNames(cell) || "–"}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS).map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows never move
              <tr key={index}>
                {row.map((cell, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: cells never move
                  <td key={place}>{withNames(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {rows.length > ROWS && <p className="faint">{`The first ${plural(ROWS, "row")}.`}</p>}
    </>
  );
}

/** Code with colours; what is too long for that, or of no known language, without. */
function Code({ text, name }: { text: string; name: string }) {
  const language = hljs.getLanguage(name.slice(name.lastIndexOf(".") + 1).toLowerCase());
  if (!language?.name || text.length > HIGHLIGHTED) return <PlainText text={text} isCode />;
  return <Highlighted text={text} language={name.slice(name.lastIndexOf(".") + 1).toLowerCase()} />;
}

function Highlighted({ text, language }: { text: string; language: string }) {
  const tokens = useMemo(() => {
    // Its tree, not its HTML: nothing of a user's is ever parsed as a page.
    const { _emitter: emitter } = hljs.highlight(legible(text), { language, ignoreIllegals: true });
    return (emitter as unknown as { rootNode: { children: Child[] } }).rootNode.children;
  }, [text, language]);
  return (
    <pre
      className="plain"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
      tabIndex={0}
    >
      <code>
        <Tokens tokens={tokens} />
      </code>
    </pre>
  );
}

type Child = string | { scope?: string; children: Child[] };

function Tokens({ tokens }: { tokens: readonly Child[] }) {
  return tokens.map((token, index) =>
    typeof token === "string" ? (
      token
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: tokens never move
      <span key={index} className={token.scope ? `hljs-${token.scope.split(".")[0]}` : undefined}>
        <Tokens tokens={token.children} />
      </span>
    ),
  );
}
