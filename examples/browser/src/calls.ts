/** @file Calls from a page to an object in its worker: each has a number, and its answer the same. The worker may tell of things in between. */

/** What the page sees of the object: its methods, each of which answers later. */
export type Remote<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never
}

interface Call {
  readonly number: number
  readonly method: string
  readonly args: readonly unknown[]
}

type Reply =
  | { readonly number: number; readonly result: unknown }
  | { readonly number: number; readonly problem: string }
  | { readonly told: unknown }

/** In the worker: answers calls by the methods of an object that is made with a way to tell of things. */
export function serve<Told>(make: (tell: (what: Told) => void) => object): void {
  const reply = (message: Reply): void => postMessage(message)
  const target = make(told => reply({ told })) as Readonly<Record<string, (...args: unknown[]) => unknown>>
  addEventListener('message', async ({ data: { number, method, args } }: MessageEvent<Call>) => {
    try {
      reply({ number, result: await target[method](...args) })
    } catch (error) {
      reply({ number, problem: error instanceof Error ? error.message : String(error) })
    }
  })
}

/** In the page. Bitmaps among the arguments, or in arrays of them, are gone from it then. @param heard is called with what the worker tells */
export function connect<T, Told>(worker: Worker, heard: (what: Told) => void): Remote<T> {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (why: Error) => void }>()
  let calls = 0
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if ('told' in data) return heard(data.told as Told)
    const call = waiting.get(data.number)
    waiting.delete(data.number)
    if ('problem' in data) call?.reject(new Error(data.problem))
    else call?.resolve(data.result)
  }
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message || 'the worker could not be started'))
    waiting.clear()
  }
  const ask = (method: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const number = calls++
      waiting.set(number, { resolve, reject })
      // Frames move: copies of them would fill the memory.
      const moved = args.flat().filter(arg => arg instanceof ImageBitmap)
      worker.postMessage({ number, method, args } satisfies Call, moved)
    })
  return new Proxy({} as Remote<T>, {
    get:
      (_, method) =>
      (...args: unknown[]) =>
        ask(String(method), args),
  })
}
