/** @file Runs a graph over images batch by batch, to find out something about a model. */
import { batchesOf } from '../data/batches.js'
import type { Batch, Dataset } from '../data/dataset.js'
import { checkNotEmpty } from '../data/dataset-setting.js'
import { defaultEngine } from '../engines/default.js'
import type { Engine, Outputs } from '../engines/engine.js'
import { type Graph, inputNodes } from '../graph/graph.js'
import type { Model } from '../models/model.js'
import { checkDataset } from '../train/check-dataset.js'
import { writeState } from '../train/state.js'

/** What is measured on. */
export interface MeasuredOn {
  readonly engine: Engine
  readonly images: Dataset
  readonly batchSize: number
}

/**
 * Images as what is measured on.
 * @param path of the option that gave them
 * @param how `batchSize`: fewer where there are fewer images
 * @throws SettingError for no images; InvalidArgumentError for those that do not fit the model
 */
export async function measuringOn(
  model: Model,
  path: string,
  images: Dataset,
  { batchSize, engine }: { readonly batchSize: number; readonly engine?: Engine | undefined },
): Promise<MeasuredOn> {
  checkNotEmpty(images, path)
  checkDataset(model, images)
  return { images, batchSize: Math.min(batchSize, images.length), engine: engine ?? (await defaultEngine()) }
}

/**
 * Runs a graph once for each whole batch, or for the only one: a last, partial batch repeats an image.
 * @param graph of the model's parameters, with an input `image` and, where it needs it, `label`
 * @returns how many batches there were
 */
export async function overBatches(
  graph: Graph,
  { weights, preprocessing }: Model,
  { engine, images, batchSize }: MeasuredOn,
  visit: (outputs: Outputs) => void,
): Promise<number> {
  const needsLabel = inputNodes(graph).some(({ name }) => name === 'label')
  const feeds = ({ images: image, labels: label }: Batch) => (needsLabel ? { image, label } : { image })
  const program = await engine.compile(graph)
  try {
    await writeState(program, graph, weights)
    let batches = 0
    for await (const batch of batchesOf(images, { batchSize, normalization: preprocessing })) {
      if (batch.count < batchSize && batches > 0) break
      visit(await program.run(feeds(batch)))
      batches++
    }
    return batches
  } finally {
    program.dispose()
  }
}
