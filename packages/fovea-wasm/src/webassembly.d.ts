/** @file The part of WebAssembly's interface that this package uses: the types of Node lack it, and a page's whole library is too much. */

declare global {
  namespace WebAssembly {
    class Module {
      constructor(bytes: Uint8Array)
    }
    class Instance {
      readonly exports: Readonly<Record<string, unknown>>
      constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>)
    }
    class Memory {
      readonly buffer: SharedArrayBuffer
      constructor(limits: { readonly initial: number; readonly maximum: number; readonly shared: true })
      grow(pages: number): number
    }
    interface Global {
      value: number
    }
    function validate(bytes: Uint8Array): boolean
    function compile(bytes: Uint8Array): Promise<Module>
  }
}

export {}
