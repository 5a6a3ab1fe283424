export function Disks() {
  return null;
}
