/** @file The engine to use when none is asked for: the native one where it is installed and works, else WebAssembly, else the reference. */
import type { Engine } from './engine.js'
import { referenceEngine } from './reference/reference.js'

/** The optional packages of engines, the best first, each with what it exports. */
const optional = [
  { name: 'fovea-onednn', engine: 'onednnEngine' },
  { name: 'fovea-wasm', engine: 'loadWasmEngine' },
] as const

type EngineModule = Readonly<Record<string, () => Engine | Promise<Engine>>>

// Both Node and browsers have it; the library is compiled with the types of neither.
declare const console: { warn(text: string): void }

let warned = false

/** Never fails; where the native engine does not work, a warning says why, once, and the `description` of the other engine too. */
export async function defaultEngine(): Promise<Engine> {
  const reasons: string[] = []
  for (const { name, engine } of optional) {
    try {
      // In a variable, so that compilers and bundlers do not insist on a package that may be absent.
      const module = (await import(/* @vite-ignore */ name)) as EngineModule
      return instead(await module[engine](), reasons)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.split('\n')[0] : String(error))
    }
  }
  return instead(referenceEngine(), reasons)
}

/** An engine that is used because of these reasons; none: because it is the best. */
function instead(engine: Engine, reasons: readonly string[]): Engine {
  if (reasons.length === 0) return engine
  const why = reasons.join(', and ')
  const which =
    engine.name === 'reference' ? 'on the slow reference engine' : 'in WebAssembly, slower than the native engine'
  if (!warned) console.warn(`fovea: running ${which}, because ${why}`)
  warned = true
  return { ...engine, description: `${engine.description} (no native engine: ${why})` }
}
