// Pages by cursor: forward by what the last answer said, back the way one came.

import { useState } from "react";

import { Button } from "./basics";

export function Pager({
  cursor,
  next,
  onMove,
}: {
  cursor: string | undefined;
  next: string | undefined;
  onMove: (cursor: string | undefined) => void;
}) {
  const [behind, setBehind] = useState<readonly (string | undefined)[]>([]);
  if (!cursor && !next) return null;
  return (
    <nav className="pager" aria-label="Pages of the list">
      {cursor && (
        <Button
          look="quiet"
          onPress={() => {
            setBehind([]);
            onMove(undefined);
          }}
        >
          First
        </Button>
      )}
      <Button
        isDisabled={behind.length === 0}
        onPress={() => {
          setBehind(behind.slice(0, -1));
          onMove(behind.at(-1));
        }}
      >
        Back
      </Button>
      <Button
        isDisabled={!next}
        onPress={() => {
          setBehind([...behind, cursor]);
          onMove(next);
        }}
      >
        Next
      </Button>
    </nav>
  );
}
