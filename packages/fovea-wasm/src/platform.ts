/** @file What Node has and a page has not, asked for where it is there: nothing here is loaded by a page. */
interface Builtins {
  'node:fs': typeof import('node:fs')
  'node:os': typeof import('node:os')
  'node:worker_threads': typeof import('node:worker_threads')
}

/** A module of Node's own; undefined in a page. */
export const builtin = <N extends keyof Builtins>(name: N): Builtins[N] | undefined =>
  (globalThis.process?.getBuiltinModule as ((name: N) => Builtins[N] | undefined) | undefined)?.(name)
