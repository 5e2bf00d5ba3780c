/**
 * @file The few global names that browsers and Node share and that this package uses. Neither the DOM's nor Node's types
 * are loaded here, so that nothing else of either slips in.
 */

declare global {
  class TextEncoder {
    encode(text: string): Uint8Array<ArrayBuffer>
  }

  class TextDecoder {
    constructor(encoding?: string, options?: { readonly fatal?: boolean })
    decode(bytes: Uint8Array): string
  }

  function setTimeout(callback: () => void, milliseconds: number): unknown

  const performance: { now(): number }
}

export {}
