/** @file What is random in a step, dropout and stochastic depth: a seed for each step of a run, and each part of its batch. */
import { type Graph, inputNodes } from '../../graph/graph.js'
import { randomBits, randomKey, streamOf } from '../../random.js'
import { type StepBuilder, stepsBefore } from '../step-builder.js'
import type { Accumulation } from './accumulation.js'

/** Feeds the input `seed` that the training mode gives a graph with random operators. */
export function feedSeed(builder: StepBuilder, training: Graph, { parts }: Accumulation): void {
  if (!inputNodes(training).some(({ name }) => name === 'seed')) return
  builder.feed('seed', moment => {
    const key = randomKey(moment.seed, streamOf('step'))
    return randomBits(key, stepsBefore(moment) * parts + moment.part) | 0
  })
}
