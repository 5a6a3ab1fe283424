// What a link narrowed a list to, with a way out of it.

import { Button } from "./basics";
import { type Day, nameOf } from "./days";

export function Chosen({ children, onClear }: { children: string; onClear: () => void }) {
  return (
    <Button icon="cross" onPress={onClear} aria-label={`${children}: show all again`}>
      {children}
    </Button>
  );
}

export function ChosenDay({ of, onClear }: { of: Day; onClear: () => void }) {
  return of.day ? <Chosen onClear={onClear}>{nameOf(of)}</Chosen> : null;
}
