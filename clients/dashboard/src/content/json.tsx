// JSON as a tree that opens level by level, however deep it is.

import { useState } from "react";

import { Icon } from "../components/icon";
import { PlainText } from "./fold";
import { withNames } from "./legible";

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Read JSON out of a text, if the whole of it is an object or a list. */
export function parsed(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const OPEN_LEVELS = 2;
const CHILDREN = 100;

export function JsonView({ value, level = 0 }: { value: Json; level?: number }) {
  if (typeof value === "string") return <JsonText text={value} />;
  if (value === null || typeof value !== "object") return <code>{String(value)}</code>;
  return <Branch value={value} level={level} />;
}

function JsonText({ text }: { text: string }) {
  if (text.length > 200 || text.includes("\n")) return <PlainText text={text} isCode />;
  return <span className="hljs-string">“{withNames(text)}”</span>;
}

function Branch({ value, level }: { value: Json[] | { [key: string]: Json }; level: number }) {
  const [isOpen, setOpen] = useState(level < OPEN_LEVELS);
  const [shown, setShown] = useState(CHILDREN);
  const entries = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : Object.entries(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (entries.length === 0) {
    return (
      <span className="json">
        {open}
        {close}
      </span>
    );
  }
  return (
    <div className="json">
      <button
        type="button"
        className="fold-head"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={isOpen ? "down" : "right"} />
        {open}
        {isOpen ? "" : ` ${entries.length} ${close}`}
      </button>
      {isOpen && (
        <ul>
          {entries.slice(0, shown).map(([key, item]) => (
            <li key={key}>
              <span className="json-key">{withNames(key)}</span>:{" "}
              <JsonView value={item} level={level + 1} />
            </li>
          ))}
          {entries.length > shown && (
            <li>
              <button
                type="button"
                className="fold-head"
                onClick={() => setShown(shown + CHILDREN)}
              >
                {entries.length - shown} more
              </button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

/** Show a text as JSON if it is that, else as it is. */
export function MaybeJson({ text }: { text: string }) {
  const value = parsed(text);
  return value === undefined ? <PlainText text={text} isCode /> : <JsonView value={value} />;
}
