/** @file The engine to use when none is asked for: the native one where it is installed and works, else the reference. */
import type { Engine } from './engine.js'
import { referenceEngine } from './reference/reference.js'

/** What the optional package `fovea-onednn` exports. */
interface NativeEngineModule {
  onednnEngine(): Engine
}

/** Never fails; where the native engine does not work, the `description` of the reference engine says why. */
export async function defaultEngine(): Promise<Engine> {
  // In a variable, so that compilers and bundlers do not insist on a package that may be absent.
  const nativePackage = 'fovea-onednn'
  try {
    const native = (await import(/* @vite-ignore */ nativePackage)) as NativeEngineModule
    return native.onednnEngine()
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    const reference = referenceEngine()
    return { ...reference, description: `${reference.description} (no native engine: ${reason})` }
  }
}
