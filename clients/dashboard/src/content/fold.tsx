// What is long stands folded until somebody wants it.

import { type ReactNode, useState } from "react";

import { Icon } from "../components/icon";
import { size } from "../components/words";
import { withNames } from "./legible";

export function Fold({
  title,
  children,
  isOpen: opensAtOnce = false,
}: {
  title: ReactNode;
  children: () => ReactNode;
  isOpen?: boolean;
}) {
  const [isOpen, setOpen] = useState(opensAtOnce);
  return (
    <div className="fold">
      <button
        type="button"
        className="fold-head"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={isOpen ? "down" : "right"} />
        {title}
      </button>
      {isOpen && children()}
    </div>
  );
}

const SHOWN = 1_200;
const LINES = 24;

/** Cut a text after some lines; the whole is one press away. */
export function cut(text: string): string {
  const end = text.split("\n", LINES).join("\n").length;
  return text.slice(0, Math.min(end, SHOWN));
}

/** Plain text that keeps its lines; long ones are cut, and then scroll in their own box. */
export function PlainText({ text, isCode = false }: { text: string; isCode?: boolean }) {
  const [isWhole, setWhole] = useState(false);
  const short = cut(text);
  const isLong = short.length < text.length;
  const shown = isWhole ? text : short;
  return (
    <div className="fold">
      <pre className="plain" tabIndex={isWhole ? 0 : -1} dir="auto">
        {isCode ? <code>{withNames(shown)}</code> : withNames(shown)}
        {isLong && !isWhole && "…"}
      </pre>
      {isLong && <MoreButton isWhole={isWhole} length={text.length} onPress={setWhole} />}
    </div>
  );
}

export function MoreButton({
  isWhole,
  length,
  onPress,
}: {
  isWhole: boolean;
  length: number;
  onPress: (isWhole: boolean) => void;
}) {
  return (
    <button
      type="button"
      className="fold-head"
      aria-expanded={isWhole}
      onClick={() => onPress(!isWhole)}
    >
      <Icon name={isWhole ? "up" : "down"} />
      {isWhole ? "Show less" : `Show all (${size(length)})`}
    </button>
  );
}
