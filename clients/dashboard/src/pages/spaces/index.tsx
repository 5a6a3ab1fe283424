export function Spaces() {
  return null;
}
