/** @file The worker thread of worker-loader.ts: prepares the batches that it is asked for, of images on shared memory. */
import { parentPort, workerData } from 'node:worker_threads'
import { type BatchPlan, batchPlan } from 'fovea'
import { type StoredImages, storedDataset } from './stored-dataset.js'
import { buffersOf, type Reply, type Request } from './worker-loader.js'

const dataset = storedDataset(workerData as StoredImages)
const plans = new Map<number, BatchPlan>()

parentPort?.on('message', (request: Request) => {
  if (request.type === 'begin') plans.set(request.pass, batchPlan(dataset, request.options))
  else if (request.type === 'end') plans.delete(request.pass)
  else {
    const reply = prepare(request)
    parentPort?.postMessage(reply, 'error' in reply ? [] : buffersOf(reply))
  }
})

function prepare({ pass, batch, slot }: Extract<Request, { type: 'prepare' }>): Reply {
  try {
    const plan = plans.get(pass) as BatchPlan // It was announced before.
    return { ...slot, ...plan.prepare(batch, slot.images, slot.labels) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}
