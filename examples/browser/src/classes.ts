/** @file The page that learns classes of one's own: from folders, files and the camera. */
import { chosenFolders, droppedFolders } from 'fovea/browser'
import { connect } from './calls.js'
import { Camera } from './camera.js'
import { ClassCard } from './class-card.js'
import type { Classes, Format } from './classes-worker.js'
import type { Progress } from './learning.js'
import { at, keepOffline, TrainingView, tried } from './page.js'
import type { Picture } from './pictures.js'
import { made, percent, showResults } from './results-view.js'

/** So many files that are no pictures are named. */
const NAMED = 5

const view = new TrainingView()
const camera = new Camera(at<HTMLVideoElement>('video'))
/** Of the project that is open: another one has another map. */
let cards = new Map<string, ClassCard>()
/** The opening of a project under way, or the last one. */
let opening: Promise<unknown> = Promise.resolve()
/** The class that the camera takes pictures of. */
let taking: string | undefined

await keepOffline()
const worker = new Worker(new URL('./classes-worker.ts', import.meta.url), { type: 'module' })
const classes = connect<Classes, Progress>(worker, progress => view.show(progress))

function cardOf(name: string): ClassCard {
  const known = cards.get(name)
  if (known) return known
  const card = new ClassCard(name, {
    add: tried(files => add(name, files)),
    camera: tried(() => takePictures(name)),
    remove: tried(async () => {
      await opening
      if (cards.get(name) !== card) return
      if (taking === name) stopCamera()
      cards.delete(name)
      card.element.remove()
      await classes.removeClass(name)
    }),
  })
  cards.set(name, card)
  at('classes').append(card.element)
  return card
}

/** @throws Error where some were no pictures; the others are added */
async function add(name: string, pictures: readonly Picture[]): Promise<void> {
  await opening
  const card = cardOf(name)
  const { kept, refused } = await classes.add(name, pictures)
  card.show(kept)
  at('keep').hidden = false
  if (refused.length === 0) return
  const some = refused.length > NAMED ? [...refused.slice(0, NAMED), '…'] : refused
  throw new Error(
    `${name}: ${refused.length} of ${pictures.length} are no pictures that this browser reads: ${some.join(', ')}`,
  )
}

async function addAll(folders: ReadonlyMap<string, readonly File[]>): Promise<void> {
  const problems: string[] = []
  const project = cards
  for (const [name, files] of folders) {
    await opening
    // The rest of a folder does not belong to a project that was opened since.
    if (cards !== project) break
    await add(name, files).catch((error: Error) => problems.push(error.message))
  }
  if (problems.length > 0) throw new Error(problems.join('; '))
}

function stopCamera(): void {
  if (taking !== undefined) cards.get(taking)?.takes(false)
  taking = undefined
  camera.stop()
  at('watch').textContent = 'Use the camera'
}

async function takePictures(name: string): Promise<void> {
  const wasOn = taking === name
  stopCamera()
  if (wasOn) return
  taking = name
  cardOf(name).takes(true)
  try {
    await camera.each(frame => add(name, [frame]))
  } catch (error) {
    stopCamera()
    throw error
  }
}

async function watch(): Promise<void> {
  const wasOn = at('watch').textContent === 'Stop the camera'
  stopCamera()
  if (wasOn) return
  at('watch').textContent = 'Stop the camera'
  try {
    await camera.each(classify)
  } catch (error) {
    stopCamera()
    throw error
  }
}

async function classify(picture: Picture): Promise<void> {
  const predictions = await classes.classify(picture)
  const rows = predictions.slice(0, 5).map(({ label, probability }) => {
    const bar = made('meter')
    bar.value = probability
    return made('li', '', [made('span', label), bar, made('span', percent(probability))])
  })
  at('labels').replaceChildren(...rows)
}

/** What uses the model, or gives another one. */
function lock(isOn: boolean): void {
  for (const id of ['train', 'open', 'backbone', 'try', 'watch']) at<HTMLInputElement>(id).disabled = isOn
}

/** Runs one of these while no other can begin. */
async function alone(work: () => Promise<void>): Promise<void> {
  lock(true)
  try {
    await work()
  } finally {
    lock(false)
  }
}

/** Calls it with the file that is chosen. */
function onFile(id: string, work: (file: File) => Promise<void>): void {
  const input = at<HTMLInputElement>(id)
  input.onchange = tried(async () => {
    const [file] = input.files ?? []
    input.value = ''
    if (file) await alone(() => work(file))
  })
}

function download(file: Blob, name: string): void {
  const link = made('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href))
}

function usable(isTrained: boolean): void {
  at('use').hidden = !isTrained
  for (const id of ['safetensors', 'onnx']) at<HTMLButtonElement>(id).disabled = !isTrained
}

at('new').onclick = tried(() => {
  const input = at<HTMLInputElement>('name')
  if (input.value.trim() === '') throw new Error('give the class a name')
  cardOf(input.value.trim())
  input.value = ''
})
at('name').onkeydown = ({ key }) => key === 'Enter' && at('new').click()
const folder = at<HTMLInputElement>('folder')
// Some phones lack it.
folder.closest('label')!.hidden = !('webkitdirectory' in HTMLInputElement.prototype)
folder.onchange = tried(() => {
  const files = [...(folder.files ?? [])]
  // Else the same folder could not be chosen again.
  folder.value = ''
  return addAll(chosenFolders(files))
})
document.ondragover = event => {
  event.preventDefault()
  at('drop').classList.add('over')
}
document.ondragleave = () => at('drop').classList.remove('over')
document.ondrop = tried(async (event: DragEvent) => {
  event.preventDefault()
  at('drop').classList.remove('over')
  await addAll(await droppedFolders(event.dataTransfer!.items))
})

at('stop').onclick = tried(() => classes.stop())
const train = async (): Promise<void> => {
  stopCamera()
  view.running(true)
  try {
    showResults(at('results'), await classes.train({ epochs: Number(at<HTMLSelectElement>('epochs').value) }))
    usable(true)
  } finally {
    view.running(false)
  }
}
at('train').onclick = tried(() => alone(train))
onFile('backbone', async file => {
  at('start').textContent = `Starts from ${await classes.openBackbone(file)}`
})

onFile('try', classify)
at('watch').onclick = tried(watch)

async function openProject(file: File): Promise<void> {
  stopCamera()
  const { pictures, isTrained } = await classes.openProject(file)
  cards = new Map()
  for (const id of ['classes', 'results', 'labels']) at(id).replaceChildren()
  for (const { label, image } of pictures) cardOf(label).show([image])
  at('keep').hidden = false
  usable(isTrained)
}
onFile('open', file => {
  const work = openProject(file)
  opening = work.catch(() => {})
  return work
})
at('save').onclick = tried(async () => download(await classes.saveProject(), 'pictures.fovea'))
for (const [format, name] of [
  ['safetensors', 'model.safetensors'],
  ['onnx', 'model.onnx'],
] as const satisfies [Format, string][])
  at(format).onclick = tried(async () => download(await classes.exportModel(format), name))

usable(false)
await tried(async () => {
  at('engine').textContent = await classes.start()
  lock(false)
})()
