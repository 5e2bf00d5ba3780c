/** @file The page that trains on clothes. */
import { connect } from './calls.js'
import type { Clothes } from './clothes-worker.js'
import type { Progress } from './learning.js'
import { at, keepOffline, TrainingView, tried } from './page.js'
import { showResults } from './results-view.js'

const view = new TrainingView()
const chosen = (id: string): number => Number(at<HTMLSelectElement>(id).value)

await keepOffline()
const worker = new Worker(new URL('./clothes-worker.ts', import.meta.url), { type: 'module' })
const clothes = connect<Clothes, Progress>(worker, progress => view.show(progress))

at('stop').onclick = tried(() => clothes.stop())
at('train').onclick = tried(async () => {
  view.running(true)
  try {
    showResults(at('results'), await clothes.train({ epochs: chosen('epochs'), images: chosen('images') }))
  } finally {
    view.running(false)
  }
})
await tried(async () => {
  at('engine').textContent = await clothes.start()
  view.running(false)
})()
