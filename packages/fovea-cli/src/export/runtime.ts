/**
 * @file ONNX Runtime for Node, if it is installed: what exported files are checked with. It has 290 MB, so it is no dependency; it
 * is found beside the command, or where the command is run.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { HostArray } from 'fovea'

const NAME = 'onnxruntime-node'

/** How it is installed. Its install script would download what is for graphics cards. */
export const installRuntime = `ONNXRUNTIME_NODE_INSTALL=skip npm install ${NAME}`

/** As far as it is used here. */
export interface OnnxRuntime {
  readonly Tensor: new (type: string, data: HostArray, dims: readonly number[]) => unknown
  readonly InferenceSession: { create(file: Uint8Array, options: object): Promise<OnnxSession> }
}

export interface OnnxSession {
  run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>
  release(): Promise<void>
}

/** Where a package is, in the folder of the caller or beside the command; undefined where it is not installed. */
export function findPackage(name: string): string | undefined {
  for (const place of [pathToFileURL(join(process.cwd(), 'here.js')), import.meta.url]) {
    try {
      return createRequire(place).resolve(name)
    } catch {
      // Perhaps in the other place.
    }
  }
  return undefined
}

/** @returns the runtime, or why there is none, in words */
export async function findRuntime(): Promise<OnnxRuntime | string> {
  const found = findPackage(NAME)
  if (found === undefined) return 'ONNX Runtime is not installed'
  try {
    const module = (await import(pathToFileURL(found).href)) as OnnxRuntime & { readonly default?: OnnxRuntime }
    return module.default ?? module
  } catch (error) {
    return `ONNX Runtime cannot be loaded (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`
  }
}
