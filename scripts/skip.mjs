/**
 * Says that a check, or a part of it, is left out, and why; scripts/test.mjs lists it among the skipped tests.
 * @param {string} reason in one line
 */
export function skip(reason) {
  console.log(`skipped: ${reason}`)
  return new Promise(resolve => (process.send === undefined ? resolve() : process.send({ skipped: reason }, resolve)))
}
