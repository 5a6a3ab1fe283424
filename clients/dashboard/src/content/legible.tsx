// Text of users, shown as it is: what would turn, hide or move other text is shown by its name.

import { Fragment, type ReactNode } from "react";

/** Controls and invisible signs, without line ends and what joins emoji and letters. */
const ACTING = /(?![\t\n\r\u200c\u200d])[\p{Cc}\p{Cf}]/u;

const nameOf = (sign: string): string =>
  `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Name the signs of a text that act on others, where no element can stand. */
export function legible(text: string): string {
  return text.replace(new RegExp(ACTING, "gu"), (sign) => `‹${nameOf(sign)}›`);
}

/** Give a text as nodes in which acting signs are marked. */
export function withNames(text: string): ReactNode {
  if (!ACTING.test(text)) return text;
  return text.split(new RegExp(`(${ACTING.source})`, "u")).map((piece, index) =>
    ACTING.test(piece) ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces have no other name
      <span className="control" key={index}>
        {nameOf(piece)}
      </span>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces have no other name
      <Fragment key={index}>{piece}</Fragment>
    ),
  );
}

export function UserText({ children }: { children: string }) {
  return (
    <bdi className="user-text" dir="auto">
      {withNames(children)}
    </bdi>
  );
}
