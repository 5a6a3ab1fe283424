// The parts of a message as people read them.

import type { JsonObject } from "@bufbuild/protobuf";
import type { Asset, Message, Part } from "@gen/acontext/session/v1/message_pb";
import type { PublicUrl } from "@gen/acontext/session/v1/session_messages_pb";

import { Icon } from "../../components/icon";
import { size } from "../../components/words";
import { Fold, PlainText } from "../../content/fold";
import { type Json, JsonView, MaybeJson } from "../../content/json";
import { UserText } from "../../content/legible";
import { Markdown } from "../../content/markdown";

/** What parts need to know of the rest of the session. */
export interface Around {
  urlOf: (sha256: string) => PublicUrl | undefined;
  /** Results of tool calls that are known by now, by the id of the call. */
  resultOf: (callId: string) => Part | undefined;
  hasCall: (callId: string) => boolean;
}

const textIn = (meta: JsonObject | undefined, ...names: string[]): string => {
  for (const name of names) {
    const value = meta?.[name];
    if (typeof value === "string") return value;
  }
  return "";
};

export const callIdOf = (part: Part): string =>
  part.type === "tool-result"
    ? textIn(part.meta, "tool_call_id", "tool_use_id", "id")
    : textIn(part.meta, "id", "tool_call_id");

/** Say whether a message has nothing but results that stand beside their calls already. */
export function isShownElsewhere(message: Message, around: Around): boolean {
  return (
    message.parts.length > 0 &&
    message.parts.every((part) => part.type === "tool-result" && around.hasCall(callIdOf(part)))
  );
}

export function PartView({ part, around }: { part: Part; around: Around }) {
  switch (part.type) {
    case "text":
      return <Markdown text={part.text ?? ""} />;
    case "thinking":
      return <Fold title="Thinking">{() => <PlainText text={part.text ?? ""} />}</Fold>;
    case "redacted_thinking":
      return <span className="faint">Thinking that the provider keeps to itself</span>;
    case "tool-call":
      return <ToolCall part={part} result={around.resultOf(callIdOf(part))} />;
    case "tool-result":
      if (around.hasCall(callIdOf(part))) return null;
      return (
        <div className="tool">
          <div className="tool-head">
            <Icon name="tool" /> Result
          </div>
          <div className="tool-side">
            <Result part={part} />
          </div>
        </div>
      );
    case "image":
    case "audio":
    case "video":
    case "file":
      return <Media part={part} around={around} />;
    default:
      return (
        <Fold title={<UserText>{part.type}</UserText>} isOpen>
          {() => <Data part={part} />}
        </Fold>
      );
  }
}

function ToolCall({ part, result }: { part: Part; result: Part | undefined }) {
  const name = textIn(part.meta, "name") || "a tool";
  const said = part.meta?.["arguments"];
  return (
    <div className="tool">
      <div className="tool-head">
        <Icon name="tool" />
        <UserText>{name}</UserText>
      </div>
      <div className="tool-sides">
        <div className="tool-side">
          <div className="side-name">Arguments</div>
          {typeof said === "string" ? (
            <MaybeJson text={said} />
          ) : (
            <JsonView value={(said ?? {}) as Json} />
          )}
        </div>
        <div className="tool-side">
          <div className="side-name">Result</div>
          {result ? <Result part={result} /> : <span className="faint">none yet</span>}
        </div>
      </div>
    </div>
  );
}

function Result({ part }: { part: Part }) {
  if (part.text !== undefined && part.text !== "") return <MaybeJson text={part.text} />;
  const content = part.meta?.["content"];
  if (content !== undefined) return <JsonView value={content as Json} />;
  return <span className="faint">empty</span>;
}

function Data({ part }: { part: Part }) {
  return (
    <>
      {part.text && <MaybeJson text={part.text} />}
      {part.meta && <JsonView value={part.meta as Json} />}
    </>
  );
}

// What a browser shows without running anything; an SVG in an img element runs no script.
const PICTURES = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/;

function Media({ part, around }: { part: Part; around: Around }) {
  const { asset } = part;
  if (!asset) return <Elsewhere part={part} />;
  const url = around.urlOf(asset.sha256)?.url;
  const name = part.filename || asset.mime;
  if (!url) return <Named asset={asset} name={name} />;
  if (part.type === "image" && PICTURES.test(asset.mime)) {
    return <img className="media" src={url} alt={name} loading="lazy" />;
  }
  if (part.type === "audio") {
    // biome-ignore lint/a11y/useMediaCaption: nobody wrote captions for what users store
    return <audio className="media" src={url} controls preload="none" aria-label={name} />;
  }
  if (part.type === "video") {
    // biome-ignore lint/a11y/useMediaCaption: nobody wrote captions for what users store
    return <video className="media" src={url} controls preload="none" aria-label={name} />;
  }
  return (
    <a
      className="button plain outside"
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      download
    >
      <Icon name="file" />
      <Named asset={asset} name={name} />
    </a>
  );
}

function Named({ asset, name }: { asset: Asset; name: string }) {
  return (
    <span>
      <UserText>{name}</UserText>{" "}
      <span className="faint small">
        {asset.mime}, {size(asset.sizeB)}
      </span>
    </span>
  );
}

function Elsewhere({ part }: { part: Part }) {
  return (
    <Fold title={<UserText>{`${part.type} kept elsewhere`}</UserText>}>
      {() => <Data part={part} />}
    </Fold>
  );
}
