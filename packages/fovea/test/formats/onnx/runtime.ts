/** @file ONNX Runtime, where it is installed (`npm install --no-save onnxruntime-node`): the other side of agreement. */
import type { HostArray } from '../../../src/graph/arrays.js'

interface Tensor {
  readonly data: Float32Array
}

/** As far as we use it. */
interface Runtime {
  readonly Tensor: new (type: string, data: HostArray, dims: readonly number[]) => Tensor
  readonly InferenceSession: {
    create(
      file: Uint8Array,
      options: object,
    ): Promise<{ run(feeds: object): Promise<Readonly<Record<string, Tensor>>> }>
  }
}

const name = 'onnxruntime-node'
export const runtime = await import(name).then(
  (module: Runtime) => module,
  () => undefined,
)

/** What a file computes of one input, to the letter: at higher levels of optimization, integers may overflow where there is no VNNI. */
export async function runOnnx(
  chunks: readonly Uint8Array[] | Uint8Array,
  input: { readonly name: string; readonly type?: string; readonly data: HostArray; readonly dims: readonly number[] },
): Promise<Readonly<Record<string, Tensor>>> {
  const { InferenceSession, Tensor } = runtime!
  const file = chunks instanceof Uint8Array ? chunks : Buffer.concat(chunks)
  const options = { graphOptimizationLevel: 'basic', intraOpNumThreads: 1, logSeverityLevel: 3 }
  const session = await InferenceSession.create(file, options)
  return session.run({ [input.name]: new Tensor(input.type ?? 'float32', input.data, input.dims) })
}
