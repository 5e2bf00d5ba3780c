/** @file Elements that are moved, whatever they mean: by their width alone. */

/** Arrays that move elements of so many bytes. */
export const units = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }

/** Bytes as such elements; a copy where they do not lie at a multiple of the width. */
export function asUnits(bytes: Uint8Array, size: keyof typeof units) {
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  return new units[size](buffer as ArrayBuffer, byteOffset, bytes.length / size)
}
