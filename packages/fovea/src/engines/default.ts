/** @file The engine to use when none is asked for: the native one where it is installed and works, else the reference. */
import type { Engine } from './engine.js'
import { referenceEngine } from './reference/reference.js'

/** What the optional package `fovea-onednn` exports. */
interface NativeEngineModule {
  onednnEngine(): Engine
}

// Both Node and browsers have it; the library is compiled with the types of neither.
declare const console: { warn(text: string): void }

let warned = false

/** Never fails; where the native engine does not work, a warning says why, once, and the reference engine's `description` too. */
export async function defaultEngine(): Promise<Engine> {
  // In a variable, so that compilers and bundlers do not insist on a package that may be absent.
  const nativePackage = 'fovea-onednn'
  try {
    const native = (await import(/* @vite-ignore */ nativePackage)) as NativeEngineModule
    return native.onednnEngine()
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    if (!warned) console.warn(`fovea: running on the slow reference engine, because ${reason}`)
    warned = true
    const reference = referenceEngine()
    return { ...reference, description: `${reference.description} (no native engine: ${reason})` }
  }
}
