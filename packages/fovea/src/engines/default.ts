/** @file The engine to use when none is asked for: the native one where it is installed and works, else WebAssembly, else the reference. */
import type { Engine } from './engine.js'
import { referenceEngine } from './reference/reference.js'

/** The optional packages of engines, the best first, each with what it exports. */
const optional = [
  { name: 'fovea-onednn', engine: 'onednnEngine', inPages: false },
  { name: 'fovea-wasm', engine: 'loadWasmEngine', inPages: true },
] as const

type EngineModule = Readonly<Record<string, () => Engine | Promise<Engine>>>

/** What the choice depends on. */
export interface Surroundings {
  /** Whether this is a page or a worker of one, which can have no native engine. */
  readonly inPage: boolean
  /** Imports a package. */
  readonly load: (name: string) => Promise<EngineModule>
  readonly warn: (text: string) => void
}

// Both Node and browsers have it; the library is compiled with the types of neither.
declare const console: { warn(text: string): void }

let warned = false

/** Never fails; where the best engine does not work, a warning says why, once, and the `description` of the other engine too. */
export function defaultEngine(): Promise<Engine> {
  const { process } = globalThis as { readonly process?: { readonly versions?: { readonly node?: string } } }
  return bestEngine({
    inPage: process?.versions?.node === undefined,
    // The name is in a variable, so that compilers and bundlers do not insist on a package that may be absent.
    load: name => import(/* @vite-ignore */ name),
    warn(text) {
      if (!warned) console.warn(text)
      warned = true
    },
  })
}

/** The same in any surroundings. */
export async function bestEngine({ inPage, load, warn }: Surroundings): Promise<Engine> {
  const reasons: string[] = []
  const orElse = (engine: Engine): Engine => instead(engine, inPage ? 'WebAssembly' : 'native engine', reasons, warn)
  for (const { name, engine } of optional.filter(({ inPages }) => inPages || !inPage)) {
    try {
      const module = await load(name).catch(error => {
        if (!inPage) throw error
        // A bundler cannot see the import, and a page finds no package by its name, unless an import map has it.
        throw new Error(`${reasonOf(error)}: pass \`engine: await loadWasmEngine()\` from '${name}'`)
      })
      return orElse(await module[engine]())
    } catch (error) {
      reasons.push(reasonOf(error))
    }
  }
  return orElse(referenceEngine())
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0] : String(error))

/** An engine that is used in the place of the best one, because of these reasons; none: because it is the best. */
function instead(engine: Engine, best: string, reasons: readonly string[], warn: Surroundings['warn']): Engine {
  if (reasons.length === 0) return engine
  const why = reasons.join(', and ')
  const which =
    engine.name === 'reference' ? 'on the slow reference engine' : 'in WebAssembly, slower than the native engine'
  warn(`fovea: running ${which}, because ${why}`)
  return { ...engine, description: `${engine.description} (no ${best}: ${why})` }
}
