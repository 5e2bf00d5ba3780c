/**
 * @file The few global names that browsers and Node share and that this package uses. Neither the DOM's nor Node's types
 * are loaded here, so that nothing else of either slips in.
 */

declare global {
  class TextEncoder {
    encode(text: string): Uint8Array<ArrayBuffer>
  }

  class TextDecoder {
    constructor(encoding?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean })
    decode(bytes: Uint8Array): string
  }

  /** Base64 of a text of which each character is a byte, and back; throws for what is none. */
  function btoa(bytes: string): string
  function atob(text: string): string

  function setTimeout(callback: () => void, milliseconds: number): unknown
  function clearTimeout(timer: unknown): void

  const performance: { now(): number }
}

export {}
