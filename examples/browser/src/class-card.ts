/** @file A class on the page: its name, how many pictures it has and the last of them, and ways to add some. */
import { imageOf, made } from './results-view.js'

/** Of all pictures of a class, so many are shown. */
const THUMBS = 10

export interface CardActions {
  add(files: readonly File[]): void
  /** Begins or ends to take pictures. */
  camera(): void
  remove(): void
}

export class ClassCard {
  readonly element = made('article')
  readonly #count = made('span', '0')
  readonly #thumbs = made('div')
  readonly #camera = made('button', 'Camera')
  #pictures = 0

  constructor(name: string, actions: CardActions) {
    const files = made('input')
    Object.assign(files, { type: 'file', accept: 'image/*', multiple: true })
    files.onchange = () => {
      actions.add([...(files.files ?? [])])
      files.value = ''
    }
    const choose = made('label', '', [files, made('span', 'Pictures')])
    choose.className = 'button'
    this.#camera.onclick = () => actions.camera()
    const remove = made('button', 'Remove')
    remove.onclick = () => actions.remove()
    for (const button of [this.#camera, remove]) button.type = 'button'
    this.#thumbs.className = 'thumbs'
    this.element.className = 'class'
    const header = made('header', '', [made('span', name), this.#count])
    this.element.append(header, this.#thumbs, made('nav', '', [choose, this.#camera, remove]))
  }

  show(pictures: readonly Blob[]): void {
    this.#pictures += pictures.length
    this.#count.textContent = String(this.#pictures)
    this.#thumbs.append(...pictures.slice(-THUMBS).map(imageOf))
    while (this.#thumbs.childElementCount > THUMBS) this.#thumbs.firstElementChild?.remove()
  }

  /** @param isOn whether the camera takes pictures of this class */
  takes(isOn: boolean): void {
    this.#camera.textContent = isOn ? 'Stop' : 'Camera'
  }
}
